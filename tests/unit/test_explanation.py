"""An explanation is its evidence in sentences, and nothing else."""

import re

import pytest

from recommender.explanation import MAX_AGAINST, MAX_FOR, Brief, TemplateWriter, brief_of
from recommender.models import Evidence, Item

ITEM = Item(item_id="1", title="Heat", year=1995)


def by_template(brief: Brief) -> str:
    return "".join(TemplateWriter().write(brief))


def facts(count: int, against: bool = False) -> list[Evidence]:
    side = "Against" if against else "For"
    return [
        Evidence(kind="genre", text=f"{side} {number}", weight=1 - number / 10, against=against)
        for number in range(count)
    ]


@pytest.mark.parametrize("count_for", [0, 1, 3, 9])
@pytest.mark.parametrize("count_against", [0, 1, 9])
def test_says_the_weightiest_of_each_side(count_for: int, count_against: int) -> None:
    brief = brief_of(ITEM, [*facts(count_for), *facts(count_against, against=True)])
    text = by_template(brief)
    kept = [*facts(count_for)[:MAX_FOR], *facts(count_against, against=True)[:MAX_AGAINST]]
    assert list(brief.evidence) == kept
    assert re.findall(r"(?:For|Against) \d", text) == [fact.text for fact in kept]
    assert "Heat (1995)" in text


def test_without_evidence_it_says_so() -> None:
    brief = brief_of(ITEM, [])
    assert brief.evidence == ()
    assert by_template(brief) == "Nothing in your words or swipes points to Heat (1995) yet."


def test_a_film_without_a_year() -> None:
    assert "(None)" not in by_template(brief_of(Item(item_id="1", title="Heat"), facts(1)))


def test_the_other_hand_and_what_would_be_come_last() -> None:
    otherwise = Evidence(kind="counterfactual", text="Without Ronin it would be 9th")
    brief = brief_of(ITEM, [*facts(1), *facts(1, against=True)], otherwise)
    assert by_template(brief) == (
        "Why Heat (1995)? For 0. On the other hand: Against 0. Without Ronin it would be 9th."
    )
