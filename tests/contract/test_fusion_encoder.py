"""What every `FusionEncoder` promises, asked of each implementation."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.encoder import Vectors
from fusion.errors import WrongDimension
from fusion.fake import BlendFusionEncoder
from fusion.fusion_encoder import Fused, FusionEncoder, FusionInput, SwipedFilm
from fusion.item_space import FILE as ITEM_SPACE
from fusion.item_space import ItemSpace, film_key, load_item_space
from fusion.onnx_fusion import MODELS, load_fusion
from fusion.sagemaker_encoder import SageMakerFusionEncoder
from fusion.tokens import film_text
from recommender.models import Item
from tests.fusion_container import aws_environment, container

DIM = 384
QUERIES = [
    "a slow western about revenge",
    "",
    " \n\t",
    "🎬🍿",
    "فيلم رومانسي قديم",
    "七人の侍",
    "\ud83c lone surrogate",
    "\x00 nul",
    "long film " * 1_000,
]


def vector(seed: int) -> Vectors:
    """A unit vector, shape (DIM,)."""
    drawn = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
    unit: Vectors = drawn / np.linalg.norm(drawn)
    return unit


def film(seed: int, liked: bool = True) -> SwipedFilm:
    return SwipedFilm(str(seed), f"Film {seed} (1999). Drama, Crime", vector(seed), liked, seed / 2)


SWIPES = tuple(film(seed, liked=seed % 3 > 0) for seed in range(20))


UNTRAINED = ("blend", "sagemaker")
SHIPPED = ("embedding-fusion", "token-fusion")


@pytest.fixture(scope="module", params=[*UNTRAINED, *SHIPPED])
def encoder(request: pytest.FixtureRequest) -> Iterator[FusionEncoder]:
    if request.param in SHIPPED:
        yield load_fusion(MODELS / request.param)
        return
    blend = BlendFusionEncoder()
    if request.param == "blend":
        yield blend
        return
    with container() as (url, _process), aws_environment():
        yield SageMakerFusionEncoder("fusion", blend.model_version, url=url, timeout=20)


@pytest.fixture(scope="module")
def space() -> ItemSpace:
    return load_item_space(MODELS / "item-space" / ITEM_SPACE)


def same(left: Fused, right: Fused) -> bool:
    """Equal to the last bit."""
    return (
        np.array_equal(left.vector, right.vector)
        and left.influence == right.influence
        and left.confidence == right.confidence
    )


def check(fused: Fused) -> None:
    assert fused.vector.shape == (DIM,)
    assert fused.vector.dtype == np.float32
    assert np.isfinite(fused.vector).all()
    assert 0 <= fused.influence <= 1
    assert 0 <= fused.confidence <= 1


def test_the_version_names_the_model(encoder: FusionEncoder) -> None:
    assert encoder.model_version.strip()
    assert encoder.dim == DIM


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
@pytest.mark.parametrize("swipes", [(), SWIPES], ids=["no swipes", "swipes"])
def test_any_query_is_fused(
    encoder: FusionEncoder, query: str, swipes: tuple[SwipedFilm, ...]
) -> None:
    asked = FusionInput(query, swipes)
    fused = encoder.fuse(asked)
    check(fused)
    assert same(fused, encoder.fuse(asked))


@settings(max_examples=25, deadline=None)
@given(
    query=st.text(st.characters(exclude_categories=[]), max_size=200),
    directions=st.lists(st.booleans(), max_size=8),
    for_someone_else=st.booleans(),
)
def test_any_input_is_fused(
    encoder: FusionEncoder, query: str, directions: list[bool], for_someone_else: bool
) -> None:
    swipes = tuple(film(seed, liked) for seed, liked in enumerate(directions))
    check(encoder.fuse(FusionInput(query, swipes, for_someone_else)))


def test_without_swipes_there_is_no_influence(encoder: FusionEncoder) -> None:
    assert encoder.fuse(FusionInput("heist")).influence == 0
    assert encoder.fuse(FusionInput("heist", SWIPES)).influence > 0


@pytest.mark.parametrize("encoder", UNTRAINED, indirect=True)
def test_a_like_draws_nearer_and_a_dislike_does_not(encoder: FusionEncoder) -> None:
    liked = encoder.fuse(FusionInput("", (film(1, liked=True),) * 5)).vector
    disliked = encoder.fuse(FusionInput("", (film(1, liked=False),) * 5)).vector
    assert liked @ vector(1) > disliked @ vector(1)


@pytest.mark.parametrize("encoder", SHIPPED, indirect=True)
@pytest.mark.parametrize("genre", ["Sci-Fi", "Romance", "Horror", "Children"])
def test_likes_draw_a_genre_nearer_than_dislikes_do(
    encoder: FusionEncoder, space: ItemSpace, starter_items: list[Item], genre: str
) -> None:
    rows = {key: row for row, key in enumerate(space.keys)}
    films = [item for item in starter_items if genre in item.genres and film_key(item) in rows]
    places = space.vectors[[rows[film_key(item)] for item in films]]
    swiped = list(zip(films, places, strict=True))[:8]

    def nearness(liked: bool) -> float:
        """Of the genre's other films, in standard deviations above the mean film."""
        swipes = tuple(
            SwipedFilm(item.item_id, film_text(item.title, item.year), place, liked)
            for item, place in swiped
        )
        vector = encoder.fuse(FusionInput("", swipes)).vector
        scores = space.vectors @ vector
        return float(((places[8:] @ vector).mean() - scores.mean()) / scores.std())

    assert nearness(liked=True) > nearness(liked=False)


def test_only_dislikes_are_fused(encoder: FusionEncoder) -> None:
    dislikes = tuple(film(seed, liked=False) for seed in range(20))
    fused = encoder.fuse(FusionInput("", dislikes))
    check(fused)
    assert np.linalg.norm(fused.vector) > 0


def test_of_5000_swipes_the_latest_are_read(encoder: FusionEncoder) -> None:
    latest = tuple(film(seed) for seed in range(500))
    many = tuple(film(999, liked=False) for _ in range(4_500)) + latest
    assert same(
        encoder.fuse(FusionInput("heist", many)), encoder.fuse(FusionInput("heist", latest))
    )


def test_a_profile_counts_no_more_for_someone_else(encoder: FusionEncoder) -> None:
    own = encoder.fuse(FusionInput("cartoon", SWIPES))
    other = encoder.fuse(FusionInput("cartoon", SWIPES, for_someone_else=True))
    assert other.influence <= own.influence


@pytest.mark.parametrize("length", [1, DIM - 1, DIM + 1])
def test_a_vector_of_another_length_is_refused(encoder: FusionEncoder, length: int) -> None:
    odd = SwipedFilm("odd", "Odd (1999). Drama", np.ones(length, np.float32), liked=True)
    with pytest.raises(WrongDimension, match=f"{length} numbers and the model reads {DIM}"):
        encoder.fuse(FusionInput("heist", (*SWIPES, odd)))


def test_many_threads_get_what_one_would(encoder: FusionEncoder) -> None:
    asked = [FusionInput(query, SWIPES[:count]) for query in QUERIES for count in (0, 5, 20)]
    expected = [encoder.fuse(each) for each in asked]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(encoder.fuse, asked * 4))
    assert all(map(same, answers, expected * 4))
