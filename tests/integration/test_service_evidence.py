"""Every claim in every reason is true: checked against the catalogue and the user's own swipes."""

import pytest

from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.errors import UnknownItem
from recommender.evaluation.fact_checker import FactChecker
from recommender.models import Item, SearchRequest, Understanding
from recommender.query import QueryReader
from tests.integration.viewers import ROMANCE, SCI_FI, look, opinions, tell

QUERIES = (
    """
|something for tonight|a clever movie|90s heist with a twist|films by Agnès Varda
something like Heat but funnier|similar to Blade Runner|Amélie|a film with Tom Hanks
Steven Spielberg adventure from the 80s|romantic comedy|no horror, something tense
time travel|lonely robots|wedding gone wrong|black and white noir|before 1950
a war film that is not sad|space opera|courtroom drama|musical with dancing
Christopher Nolan|like Alien and The Thing|road trip|animated film for children|1999
films since 2015|spies in cold war Berlin|a dog|vampires in love|western revenge
""".strip("\n")
    .replace("\n", "|")
    .split("|")
)


@pytest.fixture(scope="module")
def catalogue(starter_items: list[Item]) -> Catalogue:
    return Catalogue(starter_items)


@pytest.fixture(scope="module")
def said(catalogue: Catalogue) -> dict[str, str]:
    """A taste with dislikes, and a few films that were not seen."""
    skipped = dict.fromkeys(list(catalogue.rows)[100:106], "skip")
    return opinions(catalogue, SCI_FI, ROMANCE, 24) | skipped


@pytest.fixture(scope="module")
def viewer(recommender: Recommender, said: dict[str, str]) -> str:
    tell(recommender, "viewer of evidence", said)
    return "viewer of evidence"


@pytest.fixture(scope="module")
def checker(catalogue: Catalogue, said: dict[str, str]) -> FactChecker:
    return FactChecker(catalogue, said)


@pytest.mark.parametrize("query", QUERIES)
def test_reasons_are_true(
    recommender: Recommender, checker: FactChecker, viewer: str, query: str
) -> None:
    result = look(recommender, viewer, query, k=15, explain=True)
    assert result.items
    for shown in result.items:
        item = recommender.item(shown.item_id)
        assert set(shown.reason) <= {fact.text for fact in shown.evidence if not fact.against}
        weights = [fact.weight for fact in shown.evidence]
        assert weights == sorted(weights, reverse=True)
        for claim in shown.evidence:
            assert checker.holds(item, claim, result.understood), (item, claim)
    with_reasons = [shown for shown in result.items if shown.reason]
    assert len(with_reasons) >= 0.8 * len(result.items)


@pytest.mark.parametrize("query", QUERIES)
def test_explanations_are_true_of_films_that_do_not_fit_too(
    recommender: Recommender,
    catalogue: Catalogue,
    checker: FactChecker,
    viewer: str,
    query: str,
) -> None:
    understood = QueryReader(catalogue).read(query) if query else Understanding()
    for item in catalogue.items[::150]:
        explanation = recommender.explain(viewer, item.item_id, query)
        assert (explanation.item_id, explanation.title) == (item.item_id, item.title)
        for claim in explanation.evidence:
            assert checker.holds(item, claim, understood), (item, claim)
            assert claim.text in explanation.explanation


def test_every_kind_of_claim_was_checked(recommender: Recommender, viewer: str) -> None:
    """Else a kind nobody meets would pass unchecked."""
    kinds = {
        fact.kind
        for query in QUERIES
        for shown in look(recommender, viewer, query, k=15, explain=True).items
        for fact in shown.evidence
    }
    assert kinds >= {
        "query",
        "anchor_film",
        "person",
        "filter",
        "year",
        "liked_film",
        "disliked_film",
        "genre",
        "tag",
        "acclaim",
        "popularity",
    }


def test_a_stranger_gets_explanations_that_claim_no_taste(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    strangers = FactChecker(catalogue, {})
    for item in catalogue.items[:200:20]:
        for query in ("", "a clever movie"):
            explanation = recommender.explain(user_id, item.item_id, query)
            for claim in explanation.evidence:
                assert strangers.holds(item, claim, Understanding(text=query)), claim
            assert "you liked" not in explanation.explanation
            assert item.title in explanation.explanation
            assert explanation.explanation.endswith(".")


def test_explaining_an_unknown_film_is_an_error(recommender: Recommender, user_id: str) -> None:
    with pytest.raises(UnknownItem):
        recommender.explain(user_id, "no such film")


def test_evidence_comes_only_when_asked_for(recommender: Recommender, user_id: str) -> None:
    request = SearchRequest(user_id=user_id, query="heist", k=5)
    assert all(not item.evidence and item.reason for item in recommender.search(request).items)
