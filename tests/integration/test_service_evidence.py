"""Every claim in every reason is true: checked against the catalogue and the user's own swipes."""

import re
from collections.abc import Callable, Mapping

import pytest

from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.errors import UnknownItem
from recommender.models import Evidence, Item, SearchRequest, Understanding
from recommender.query import QueryReader
from recommender.text import index_text, terms
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

Labels = Callable[[Item], tuple[str, ...]]


class FactChecker:
    """Knows the catalogue and what one user swiped, and judges claims by nothing else."""

    def __init__(self, catalogue: Catalogue, said: Mapping[str, str]) -> None:
        self._catalogue = catalogue
        self._said = said

    def check(self, item: Item, claim: Evidence, understood: Understanding) -> None:
        """Fails on a claim that is false or of an unknown form."""
        assert getattr(self, f"_{claim.kind}")(item, claim, understood), (item, claim)

    def _query(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        if claim.text == "The film you named":
            return understood.lookup == item.item_id
        if claim.text == "Close in meaning to your words, by the language model":
            return bool(understood.text)
        words = claim.text.removeprefix("Matches your words: ").split(", ")
        asked, film = set(terms(understood.text)), set(terms(index_text(item)))
        return claim.text.startswith("Matches") and all(
            set(terms(word)) & film & asked for word in words
        )

    def _person(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        found = re.fullmatch(r"(Directed by|With) (.+), as you asked", claim.text)
        assert found
        credits = item.director if found[1] == "Directed by" else item.cast
        return found[2] in credits and found[2] in understood.filters.people

    def _filter(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        genres, _, ground = claim.text.partition(", ")
        asked = {
            "as you asked": understood.filters.include_genres,
            "as your words suggest": understood.soft_genres,
        }[ground]
        return set(genres.split(" and ")) <= set(item.genres) & set(asked)

    def _year(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        filters, year = understood.filters, item.year or 0
        inside = (filters.year_from or 0) <= year <= (filters.year_to or 9999)
        bounds = {int(number) for number in re.findall(r"\d{4}", claim.text)}
        known = {year, filters.year_from, filters.year_to}
        return inside and claim.text.startswith(f"From {year}, ") and bounds <= known

    def _anchor_film(self, item: Item, claim: Evidence, understood: Understanding) -> bool:
        anchor = self._catalogue.get(claim.item_id or "")
        return anchor.item_id in understood.anchors and self._alike(item, anchor, claim.text)

    def _liked_film(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        return not claim.against and self._swiped(item, claim, "like", "liked")

    def _disliked_film(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        return claim.against and self._swiped(item, claim, "dislike", "disliked")

    def _counterfactual(self, _item: Item, claim: Evidence, _: Understanding) -> bool:
        """That it names a like; its places are ranked again in `test_service_counterfactual`."""
        like = self._catalogue.get(str(claim.item_id))
        named = claim.text.startswith(f"Without {like.title} among your likes it would ")
        return named and self._said.get(like.item_id) == "like"

    def _swiped(self, item: Item, claim: Evidence, direction: str, verb: str) -> bool:
        other = self._catalogue.get(claim.item_id or "")
        text = claim.text.replace(f", which you {verb}", "", 1)
        assert text != claim.text
        return self._said[other.item_id] == direction and self._alike(item, other, text)

    def _alike(self, item: Item, other: Item, text: str) -> bool:
        if text == f"Close to {other.title}":
            return item.item_id != other.item_id
        start = f"Like {other.title}: "
        assert text.startswith(start)
        shared = text.removeprefix(start)
        for name in set(item.director) & set(other.director):
            shared = shared.replace(f"directed by {name}", "")
        for name in set(item.cast) & set(other.cast):
            shared = shared.replace(f"with {name}", "")
        labels = {*item.tags, *item.genres} & {*other.tags, *other.genres}
        for label in sorted(labels, key=len, reverse=True):
            shared = shared.replace(label, "")
        return shared.strip(", ") == ""

    def _genre(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        return self._label(claim, item.genres, lambda film: film.genres)

    def _tag(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        return self._label(claim, item.tags, lambda film: film.tags)

    def _label(self, claim: Evidence, own: tuple[str, ...], labels: Labels) -> bool:
        found = re.fullmatch(
            r"(You go for|You tend to pass on) (.+) \(liked (\d+) of (\d+) swiped\)", claim.text
        )
        assert found
        name, liked, swiped = found[2].strip("“”"), int(found[3]), int(found[4])
        said = [
            direction
            for item_id, direction in self._said.items()
            if direction != "skip" and name in labels(self._catalogue.get(item_id))
        ]
        counted = (liked, swiped) == (said.count("like"), len(said))
        fair = liked <= swiped / 2 if claim.against else liked >= swiped / 2
        return name in own and counted and fair and swiped > 0

    def _acclaim(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        text = f"Rated {item.rating_mean:.1f} of 5 by {item.rating_count} MovieLens viewers"
        return claim.text == text and (item.rating_mean or 0) >= 3.9

    def _popularity(self, item: Item, claim: Evidence, _: Understanding) -> bool:
        rank = sum(other.rating_count > item.rating_count for other in self._catalogue.items)
        most = rank <= len(self._catalogue) / 10 + 1
        return claim.text == "One of the most watched films here" and most


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
            checker.check(item, claim, result.understood)
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
            checker.check(item, claim, understood)
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
                strangers.check(item, claim, Understanding(text=query))
            assert "you liked" not in explanation.explanation
            assert item.title in explanation.explanation
            assert explanation.explanation.endswith(".")


def test_explaining_an_unknown_film_is_an_error(recommender: Recommender, user_id: str) -> None:
    with pytest.raises(UnknownItem):
        recommender.explain(user_id, "no such film")


def test_evidence_comes_only_when_asked_for(recommender: Recommender, user_id: str) -> None:
    request = SearchRequest(user_id=user_id, query="heist", k=5)
    assert all(not item.evidence and item.reason for item in recommender.search(request).items)
