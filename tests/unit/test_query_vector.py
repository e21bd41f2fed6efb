"""The vectors of a search: made at the same time, read and written together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, get_ident
from unittest.mock import create_autospec

import numpy as np
import pytest

from fusion.bounded import BoundedEncoder, BoundedFusion, Deadline, InPlace, InThread
from fusion.encoder import TextEncoder, Vectors
from fusion.errors import EncoderUnavailable
from fusion.fake import BlendFusionEncoder, HashingEncoder
from fusion.fusion_encoder import Fused, FusionEncoder, FusionInput
from recommender.cache import AnswerCache
from recommender.catalogue import Catalogue
from recommender.fallbacks import Fallbacks
from recommender.fusing import FusionInputs
from recommender.models import SearchRequest, Understanding
from recommender.preferences.learn import no_preferences
from recommender.preferences.model import Tier
from recommender.query_vector import QueryEmbedder, QueryVector
from recommender.settings import RecommenderSettings
from recommender.stores.memory import memory_stores
from recommender.stores.ports import EmbeddingCache, LogVersion
from recommender.users import UserState
from recommender.vectors import ItemVectors

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SETTINGS = RecommenderSettings()
PATIENT = 60.0
NOBODY = UserState("ann", LogVersion(), {}, no_preferences("model"))


class Watched:
    """A model that counts its calls, meets the other one, and fails when it is down."""

    def __init__(self, met: Barrier | None = None) -> None:
        super().__init__()
        self.met, self.down, self.calls = met, False, 0
        self.threads: set[int] = set()

    def note(self) -> None:
        """To be said at each call."""
        self.calls += 1
        self.threads.add(get_ident())
        if self.met:
            self.met.wait(PATIENT)
        if self.down:
            raise EncoderUnavailable("down")


class Words(Watched, HashingEncoder):
    def encode(self, texts: Sequence[str]) -> Vectors:
        self.note()
        return super().encode(texts)


class Fusion(Watched, BlendFusionEncoder):
    def fuse(self, asked: FusionInput) -> Fused:
        self.note()
        return super().fuse(asked)


@pytest.fixture
def embeddings() -> EmbeddingCache:
    """A cache in memory that notes how it is called."""
    memory = memory_stores().embeddings
    noting: EmbeddingCache = create_autospec(EmbeddingCache, instance=True)
    noting.get_many.side_effect = memory.get_many  # type: ignore[attr-defined]
    noting.put_many.side_effect = memory.put_many  # type: ignore[attr-defined]
    return noting


def embed(
    embeddings: EmbeddingCache,
    words: TextEncoder,
    fusion: FusionEncoder,
    text: str = "robots",
    state: UserState = NOBODY,
    tier: Tier = "generic",
    of_words: Deadline | None = None,
    of_fusion: Deadline | None = None,
) -> tuple[QueryVector, tuple[str, ...]]:
    """What is embedded for a person, of no taste if not said otherwise, and the fallbacks taken."""
    stores = memory_stores()
    vectors = ItemVectors(stores.items)
    embedder = QueryEmbedder(
        BoundedEncoder(words, of_words or InThread(PATIENT)),
        {"embedding_fusion": BoundedFusion(fusion, of_fusion or InThread(PATIENT))},
        FusionInputs(Catalogue([]), vectors),
        vectors,
        AnswerCache(embeddings, stores.searches, SETTINGS, "generation"),
        SETTINGS,
    )
    fallbacks = Fallbacks()
    request, understood = SearchRequest(user_id="ann", query=text), Understanding(text=text)
    vector = embedder.embed(request, understood, state, tier, "embedding_fusion", NOW, fallbacks)
    return vector, fallbacks.taken


def calls(embeddings: EmbeddingCache) -> tuple[int, int]:
    """How often it was read and written."""
    return embeddings.get_many.call_count, embeddings.put_many.call_count  # type: ignore[attr-defined]


def test_both_vectors_are_made_at_the_same_time(embeddings: EmbeddingCache) -> None:
    """Each encoder waits for the other, which one after the other would never come."""
    met = Barrier(2)
    found, fallbacks = embed(embeddings, Words(met), Fusion(met))
    assert fallbacks == ()
    np.testing.assert_array_equal(found.words, HashingEncoder().encode(["robots"])[0])
    wanted = BlendFusionEncoder().fuse(FusionInput("robots", explore=0.0))
    assert found.vector is not None
    np.testing.assert_allclose(found.vector, wanted.vector, atol=1e-6)
    assert (found.space, found.cached) == ("fused", False)
    assert found.latency_ms > 0


@pytest.mark.parametrize("hosted", ["words", "fusion"])
def test_a_hosted_model_is_waited_for_while_the_other_runs_here(
    embeddings: EmbeddingCache, hosted: str
) -> None:
    met, here, there = Barrier(2), InPlace(PATIENT), InThread(PATIENT)
    words, fusion = Words(met), Fusion(met)
    deadlines = (there, here) if hosted == "words" else (here, there)
    _, fallbacks = embed(embeddings, words, fusion, of_words=deadlines[0], of_fusion=deadlines[1])
    assert fallbacks == ()
    assert get_ident() in (fusion if hosted == "words" else words).threads


def test_what_runs_here_is_made_in_the_callers_thread_each_with_its_own_error(
    embeddings: EmbeddingCache,
) -> None:
    words, fusion, here = Words(), Fusion(), InPlace(PATIENT)
    words.down = True
    found, fallbacks = embed(embeddings, words, fusion, of_words=here, of_fusion=here)
    assert (found.words, found.space, fallbacks) == (None, "fused", ("encoder",))
    assert words.threads == fusion.threads == {get_ident()}


def test_both_are_read_and_written_together_and_made_once(embeddings: EmbeddingCache) -> None:
    words, fusion = Words(), Fusion()
    first, _ = embed(embeddings, words, fusion)
    assert calls(embeddings) == (1, 1)
    again, _ = embed(embeddings, words, fusion)
    assert calls(embeddings) == (2, 1)
    assert (words.calls, fusion.calls) == (1, 1)
    assert (again.cached, again.latency_ms) == (True, 0.0)
    np.testing.assert_array_equal(again.vector, first.vector)
    np.testing.assert_array_equal(again.words, first.words)


def test_what_is_fused_of_a_taste_that_is_only_supposed_is_not_remembered(
    embeddings: EmbeddingCache,
) -> None:
    words, fusion = Words(), Fusion()
    supposed = replace(NOBODY, mentioned=frozenset({"heat"}))
    for times in (1, 2):
        found, _ = embed(embeddings, words, fusion, state=supposed, tier="personal")
        assert (fusion.calls, found.cached, words.calls) == (times, False, 1)
    embed(embeddings, words, fusion, state=replace(supposed, user_id="bob"), tier="generic")
    _, generic = embed(embeddings, words, fusion, state=NOBODY)
    assert (fusion.calls, generic) == (3, ()), "what is of nobody's taste is remembered"


def test_what_one_lacks_the_other_has_all_the_same(embeddings: EmbeddingCache) -> None:
    """Whichever fails is made when it is back; the other one is remembered."""
    words, fusion = Words(), Fusion()
    words.down = True
    found, fallbacks = embed(embeddings, words, fusion)
    assert (fallbacks, found.space, found.words) == (("encoder",), "fused", None)
    words.down, fusion.down = False, True
    whole, fallbacks = embed(embeddings, words, fusion)
    assert (fallbacks, whole.cached, fusion.calls) == ((), True, 1)
    assert whole.words is not None
    other, fallbacks = embed(embeddings, words, fusion, "war")
    assert (fallbacks, other.space) == (("fusion",), "text")
    words.down = True
    neither, fallbacks = embed(embeddings, words, fusion, "love")
    assert (fallbacks, neither.vector) == (("encoder", "fusion"), None)
    known, fallbacks = embed(embeddings, words, fusion, "war")
    assert (fallbacks, known.cached) == (("fusion",), True)
