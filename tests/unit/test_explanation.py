"""An explanation is its evidence in sentences, and nothing else."""

import re

import pytest

from recommender.explanation import MAX_AGAINST, MAX_FOR, explain_from
from recommender.models import Evidence, Item

ITEM = Item(item_id="1", title="Heat", year=1995)


def facts(count: int, against: bool = False) -> list[Evidence]:
    side = "Against" if against else "For"
    return [
        Evidence(kind="genre", text=f"{side} {number}", weight=1 - number / 10, against=against)
        for number in range(count)
    ]


@pytest.mark.parametrize("count_for", [0, 1, 3, 9])
@pytest.mark.parametrize("count_against", [0, 1, 9])
def test_says_the_weightiest_of_each_side(count_for: int, count_against: int) -> None:
    told = explain_from(ITEM, [*facts(count_for), *facts(count_against, against=True)])
    kept = [*facts(count_for)[:MAX_FOR], *facts(count_against, against=True)[:MAX_AGAINST]]
    assert list(told.evidence) == kept
    assert re.findall(r"(?:For|Against) \d", told.explanation) == [fact.text for fact in kept]
    assert "Heat (1995)" in told.explanation
    assert (told.item_id, told.title) == ("1", "Heat")


def test_without_evidence_it_says_so() -> None:
    told = explain_from(ITEM, [])
    assert told.evidence == ()
    assert told.explanation.startswith("Nothing in your words or swipes points to Heat (1995)")


def test_a_film_without_a_year() -> None:
    assert "(None)" not in explain_from(Item(item_id="1", title="Heat"), facts(1)).explanation
