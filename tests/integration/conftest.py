"""What several files of integration tests stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recommender import Recommender
from recommender.models import Direction, Item
from tests.conftest import new_database
from tests.s3 import new_bucket, s3


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """The address of an S3."""
    with s3() as url:
        yield url


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place."""
    if request.param == "local":
        return str(tmp_path / "place")
    request.getfixturevalue("s3_url")
    return new_bucket() + "/films"


@pytest.fixture
def empty_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, postgres_url: str, models_folder: Path
) -> Iterator[None]:
    """An installation over an empty database, with the hand-made models."""
    with new_database(postgres_url) as url:
        monkeypatch.setenv("REELWISE_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("FUSION_DIR", str(models_folder))
        yield


@pytest.fixture(scope="module")
def secret(starter_items: list[Item]) -> Item:
    """The film that bob likes: one that nobody is shown by chance."""
    return min(starter_items, key=lambda item: (item.rating_count, item.title))


@pytest.fixture(scope="module")
def bob(recommender: Recommender, secret: Item) -> str:
    """Somebody else, of whom nothing may be told."""
    recommender.record_swipe("bob", secret.item_id, Direction.LIKE)
    return "bob"
