"""What an explanation says of a like is what ranking without that like shows."""

import re

import pytest

from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.counterfactual import ordinal
from recommender.models import USUAL_RESULTS, Direction, Evidence, Item
from tests.integration.viewers import ROMANCE, SCI_FI, ids, look, opinions, tell

SHOWN = 10


@pytest.fixture(scope="module")
def catalogue(starter_items: list[Item]) -> Catalogue:
    return Catalogue(starter_items)


@pytest.fixture(scope="module")
def fan(recommender: Recommender, catalogue: Catalogue) -> str:
    tell(recommender, "counterfactual-fan", opinions(catalogue, SCI_FI, ROMANCE))
    return "counterfactual-fan"


def told(recommender: Recommender, user_id: str, query: str) -> dict[str, Evidence]:
    """What is said of the likes behind the films of an answer, by film."""
    found: dict[str, Evidence] = {}
    for item_id in ids(look(recommender, user_id, query, k=SHOWN)):
        facts = recommender.explain(user_id, item_id, query).evidence
        found.update((item_id, fact) for fact in facts if fact.kind == "counterfactual")
    return found


@pytest.mark.parametrize("query", ["", "a clever movie"])
def test_ranking_without_the_like_gives_that_place(
    recommender: Recommender, catalogue: Catalogue, fan: str, query: str
) -> None:
    said = told(recommender, fan, query)
    assert said, "no like is behind any film of the answer"
    with_it = ids(look(recommender, fan, query, k=USUAL_RESULTS))
    for item_id, fact in said.items():
        swiped = opinions(catalogue, SCI_FI, ROMANCE)
        assert swiped[str(fact.item_id)] == "like"
        twin = f"twin-{query}-{item_id}"
        tell(recommender, twin, swiped)
        recommender.record_swipe(twin, str(fact.item_id), Direction.SKIP)
        without = ids(look(recommender, twin, query, k=USUAL_RESULTS))
        places = [int(n) for n in re.findall(r"(\d+)(?:st|nd|rd|th)", fact.text)]
        assert with_it.index(item_id) + 1 == places[-1]
        if f"first {USUAL_RESULTS}" in fact.text:
            assert item_id not in without
        else:
            assert without.index(item_id) + 1 == places[0] > places[-1]


def test_explaining_changes_nothing(recommender: Recommender, fan: str) -> None:
    before = recommender.profile(fan), recommender.export_user(fan).swipes
    answer = look(recommender, fan)
    told(recommender, fan, "")
    assert (recommender.profile(fan), recommender.export_user(fan).swipes) == before
    assert look(recommender, fan).items == answer.items


def test_strangers_are_told_of_no_like(recommender: Recommender) -> None:
    assert not told(recommender, "counterfactual-nobody", "a clever movie")


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (22, "22nd")],
)
def test_ordinals(number: int, said: str) -> None:
    assert ordinal(number) == said
