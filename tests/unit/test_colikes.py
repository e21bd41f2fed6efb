"""That people liked both is said only where the fusion learned it from enough likes."""

import numpy as np
import pytest

from fusion.errors import EncoderUnavailable
from fusion.fusion_encoder import Fused, FusionEncoder, FusionInput
from recommender.catalogue import Catalogue
from recommender.colikes import RATED, CoLikes
from recommender.evaluation.fact_checker import FactChecker
from recommender.models import Item, Understanding
from recommender.stores.memory import MemoryItemStore
from recommender.stores.ports import IndexedItem
from recommender.vectors import ItemVectors

N = 100


class Pulling(FusionEncoder):
    """A like of film k pulls film k + 1 up, and nothing else."""

    model_version = "pulling"
    dim = N

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[FusionInput] = []
        self._failure = failure

    def fuse(self, asked: FusionInput) -> Fused:
        """The vector of the film after the liked one."""
        self.asked.append(asked)
        if self._failure:
            raise self._failure
        taste = np.roll(asked.swipes[0].vector, 1)
        return Fused(taste, taste, 0.5, 0.5)


def films(rated: int = RATED) -> list[Item]:
    return [Item(item_id=f"f{k:02}", title=f"Film {k}", rating_count=rated) for k in range(N)]


def colikes(fusion: FusionEncoder, rated: int = RATED, placed: int = N) -> CoLikes:
    store = MemoryItemStore()
    rows = np.eye(N, dtype=np.float32)
    store.upsert(
        [
            IndexedItem(film, rows[k], "made", rows[k] if k < placed else None)
            for k, film in enumerate(films(rated))
        ]
    )
    return CoLikes(Catalogue(store.all()), ItemVectors(store, "fused"), fusion)


def test_the_like_that_pulls_the_film_up_is_named() -> None:
    found = colikes(Pulling()).find(films()[7], ["f03", "f06", "f08"])
    assert found
    assert (found.kind, found.item_id) == ("co_liked", "f06")
    assert found.text == "People who liked Film 6 also liked this"
    checker = FactChecker(Catalogue(films()), {"f06": "like"}, lambda first, _: first == "f06")
    assert checker.holds(films()[7], found, Understanding())
    strict = FactChecker(Catalogue(films()), {"f06": "like"}, lambda *_: False)
    assert not strict.holds(films()[7], found, Understanding())
    assert not FactChecker(Catalogue(films()), {}).holds(films()[7], found, Understanding())


@pytest.mark.parametrize("liked", [[], ["f07"], ["f08", "f20"], ["gone"]])
def test_no_other_film_pulls_it_up(liked: list[str]) -> None:
    assert colikes(Pulling()).find(films()[7], liked) is None


def test_films_that_few_rated_say_nothing() -> None:
    fusion = Pulling()
    assert colikes(fusion, rated=RATED - 1).find(films(RATED - 1)[7], ["f06"]) is None
    assert fusion.asked == []


def test_a_film_without_a_place_pulls_nothing() -> None:
    assert colikes(Pulling(), placed=6).find(films()[7], ["f06"]) is None


def test_a_like_is_asked_about_once() -> None:
    fusion = Pulling()
    asking = colikes(fusion)
    for film in films()[7:20]:
        asking.find(film, ["f06", "f03"])
    assert len(fusion.asked) == 2


def test_without_the_fusion_it_says_so() -> None:
    asking = colikes(Pulling(EncoderUnavailable("gone")))
    with pytest.raises(EncoderUnavailable):
        asking.find(films()[7], ["f06"])
