"""What several files of integration tests stand on."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from assistant import models
from recommender import Recommender
from recommender.models import Direction, Item
from tests.conftest import new_database
from tests.s3 import new_bucket, s3
from tests.scripted_endpoint import ScriptedEndpoint, act_of, patience, scripted_endpoint


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
    """The film that bob likes: one that nobody is shown by chance, with a title like no number."""
    titled = [item for item in starter_items if len(item.title.split()) > 2]
    return min(titled, key=lambda item: (item.rating_count, item.title))


@pytest.fixture(scope="module")
def bob(recommender: Recommender, secret: Item) -> str:
    """Somebody else, of whom nothing may be told."""
    recommender.record_swipe("bob", secret.item_id, Direction.LIKE)
    return "bob"


@pytest.fixture
def runtime(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ScriptedEndpoint]:
    """Bedrock's runtime, as scripted: where boto3 finds it, patient unless the test's act hangs."""
    monkeypatch.setattr(models, "READ_SECONDS", patience(act_of(request), 1.5))
    monkeypatch.setattr(models, "ATTEMPTS", 2)
    with scripted_endpoint() as runtime:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", runtime.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        yield runtime


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the circuit breaker's clock on, which stands still otherwise."""
    moment = datetime.now(UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls.fromtimestamp(moment.timestamp(), tz)

    def forward(seconds: float) -> None:
        nonlocal moment
        moment += timedelta(seconds=seconds)

    monkeypatch.setattr("pybreaker.datetime", Clock)
    return forward
