"""Searching through the real service on the real catalogue."""

import numpy as np
import pytest

from recommender import Recommender
from recommender.catalogue import Catalogue
from recommender.errors import InvalidRequest, UnknownItem
from recommender.models import Direction, Item, SearchRequest, SearchResult
from recommender.query.refusals import tags_refused
from tests.integration.viewers import (
    ROMANCE,
    SCI_FI,
    films,
    ids,
    look,
    opinions,
    ranking,
    share,
    tell,
)

EVENING, CLEVER = "something for tonight", "a clever movie"


@pytest.fixture(scope="module")
def catalogue(starter_items: list[Item]) -> Catalogue:
    return Catalogue(starter_items)


@pytest.fixture(scope="module")
def fans(recommender: Recommender, catalogue: Catalogue) -> dict[str, str]:
    """A sci-fi lover and a romance lover of 20 swipes each: user ids by loved genre."""
    tell(recommender, "sci-fi lover", opinions(catalogue, SCI_FI, ROMANCE))
    tell(recommender, "romance lover", opinions(catalogue, ROMANCE, SCI_FI))
    return {SCI_FI: "sci-fi lover", ROMANCE: "romance lover"}


def strategy(result: SearchResult) -> str:
    return result.intelligence_metadata.strategy


def test_answers_grow_personal_with_swipes(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    said = opinions(catalogue, SCI_FI, ROMANCE, 16)
    seen: list[tuple[str, float, bool]] = []
    for item_id, direction in [("", ""), *said.items()]:
        if item_id:
            recommender.record_swipe(user_id, item_id, Direction(direction))
        result = look(recommender, user_id, CLEVER, k=5)
        assert len(result.items) == 5
        boosted = any(item.preference_boost for item in result.items)
        seen.append((strategy(result), result.intelligence_metadata.preference_influence, boosted))
    tiers = [tier for tier, _, _ in seen]
    assert tiers == ["generic"] * 5 + ["light"] * 10 + ["personal"] * 2
    assert [boosted for _, _, boosted in seen] == [tier != "generic" for tier in tiers]
    assert [influence > 0 for _, influence, _ in seen] == [tier != "generic" for tier in tiers]


def test_who_is_a_stranger_is_surprised_by_good_films_that_few_know(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    request = SearchRequest(user_id=user_id, query="surprise me", k=10, explore=0.9)
    rows = [catalogue.rows[item.item_id] for item in recommender.search(request).items]
    counts, acclaim = catalogue.rating_counts, catalogue.acclaim
    assert sum(counts[row] < np.median(counts) for row in rows) > len(rows) / 2
    assert min(acclaim[rows]) > np.median(acclaim)


@pytest.mark.parametrize(("query", "shared"), [(EVENING, 4), (CLEVER, 5)])
def test_two_tastes_get_visibly_different_films(
    recommender: Recommender, fans: dict[str, str], query: str, shared: int
) -> None:
    tops = {genre: look(recommender, fan, query, k=10) for genre, fan in fans.items()}
    assert all(len(top.items) == 10 for top in tops.values())
    assert len(set(ids(tops[SCI_FI])) & set(ids(tops[ROMANCE]))) <= shared


@pytest.mark.parametrize(("loved", "other"), [(SCI_FI, ROMANCE), (ROMANCE, SCI_FI)])
def test_tonight_is_a_night_of_the_loved_genre(
    recommender: Recommender, fans: dict[str, str], user_id: str, loved: str, other: str
) -> None:
    """Not only of it: who liked the best of a genre also liked what everybody likes."""
    top = films(recommender, look(recommender, fans[loved], EVENING, k=10))
    strangers = films(recommender, look(recommender, user_id, EVENING, k=10))
    assert share(top, loved) > share(strangers, loved)
    assert share(top, loved) > share(top, other)


@pytest.mark.parametrize("query", ["", EVENING, "space adventure", "films by George Lucas"])
def test_swiped_films_come_back_only_when_asked_for(
    recommender: Recommender, fans: dict[str, str], query: str
) -> None:
    fan = fans[SCI_FI]
    swiped = {event.item_id for event in recommender.export_user(fan).swipes}
    unseen = look(recommender, fan, query, k=100)
    assert swiped.isdisjoint(ids(unseen))
    everything = look(recommender, fan, query, k=100, filters={"exclude_seen": False})
    assert swiped & set(ids(everything))


@pytest.mark.parametrize(
    "asked",
    [
        {"include_genres": ["Comedy", "Romance"]},
        {"exclude_genres": ["Drama", "Comedy"]},
        {"year_from": 1990, "year_to": 1994},
        {"year_to": 1939},
        {"year_from": 2020},
        {"people": ["Tom Hanks"]},
        {"include_genres": ["Thriller"], "exclude_genres": ["Crime"], "year_from": 2000},
    ],
    ids=str,
)
@pytest.mark.parametrize("query", ["", "a clever love story", "prison escape"])
def test_every_result_passes_the_filters(
    recommender: Recommender,
    catalogue: Catalogue,
    fans: dict[str, str],
    query: str,
    asked: dict[str, object],
) -> None:
    for user in (*fans.values(), "a filter tester"):
        result = look(recommender, user, query, k=30, filters=asked)
        assert result.items
        allowed = catalogue.allowed(result.understood.filters)
        for item in films(recommender, result):
            assert allowed[catalogue.rows[item.item_id]]
            assert set(asked.get("include_genres", [])) <= set(item.genres)  # type: ignore[call-overload]
            assert not set(asked.get("exclude_genres", [])) & set(item.genres)  # type: ignore[call-overload]
            assert asked.get("year_from", 0) <= (item.year or 0) <= asked.get("year_to", 9999)  # type: ignore[operator]
            assert set(asked.get("people", [])) <= set(item.people)  # type: ignore[call-overload]


def test_contradictory_years_answer_the_same_twice(recommender: Recommender, user_id: str) -> None:
    """Years in the words and years in the request may leave no year at all."""
    first, again = (
        look(recommender, user_id, "a film from the 1950s", filters={"year_from": 2000})
        for _ in range(2)
    )
    assert first.items == again.items
    assert all((item.year or 0) >= 2000 for item in first.items)


def test_impossible_filters_find_nothing(recommender: Recommender, user_id: str) -> None:
    for query in ("", "lonely machines", "Robots", "something like Heat"):
        for asked in ({"people": ["Nobody"]}, {"include_genres": ["Western", "Children", "War"]}):
            assert look(recommender, user_id, query, filters=asked).items == ()


def test_a_genre_that_no_film_has_is_refused_by_naming_those_there_are(
    recommender: Recommender, user_id: str
) -> None:
    with pytest.raises(InvalidRequest, match="The genres are: Action, Adventure"):
        look(recommender, user_id, "", filters={"exclude_genres": ["No such genre"]})


def test_names_in_filters_need_no_exact_spelling(recommender: Recommender, user_id: str) -> None:
    asked = {"include_genres": ["documentary"], "people": ["agnes VARDA"]}
    found = look(recommender, user_id, "", filters=asked).items
    assert [item.title for item in found] == ["Faces Places"]


def test_a_film_that_is_named_leads_though_it_was_swiped(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    heat = next(item.item_id for item in catalogue.items if item.title == "Heat")
    recommender.record_swipe(user_id, heat, Direction.LIKE)
    assert ids(look(recommender, user_id, "Heat", k=5))[0] == heat
    assert heat not in ids(look(recommender, user_id, "Heat", k=5, filters={"year_from": 2001}))


@pytest.mark.parametrize("title", ["Heat", "Arrival", "Amélie", "Alien"])
def test_anchors_are_not_returned(
    recommender: Recommender, catalogue: Catalogue, user_id: str, title: str
) -> None:
    anchor = next(item for item in catalogue.items if item.title == title)
    named = look(recommender, user_id, f"something like {title}", k=50)
    assert named.understood.similar_to == (anchor.item_id,)
    given = look(recommender, user_id, "", k=50, similar_to=[anchor.item_id])
    for result in (named, given):
        assert len(result.items) == 50
        assert anchor.item_id not in ids(result)
    shared = [set(anchor.genres) & set(item.genres) for item in films(recommender, given)[:10]]
    assert sum(map(bool, shared)) > 5


def test_an_unknown_anchor_is_an_error(recommender: Recommender, user_id: str) -> None:
    with pytest.raises(UnknownItem):
        look(recommender, user_id, similar_to=["no such film"])


@pytest.mark.parametrize("k", [1, 7, 100])
def test_as_many_as_asked_best_first(recommender: Recommender, user_id: str, k: int) -> None:
    result = look(recommender, user_id, "a family on a journey", k=k)
    assert len(set(ids(result))) == len(result.items) == k
    assert max(item.score for item in result.items) == result.items[0].score


@pytest.mark.parametrize(
    "query",
    [
        "🎬🍿",
        "שלום סרט טוב",
        "'; DROP TABLE items; --",
        "a" * 10_000,
        "robots " * 1_400,
        "\x00\ud800 robots",
        "%_\\",
        "AND OR NOT",
    ],
    ids=lambda query: query[:12].encode("ascii", "replace").decode(),
)
def test_any_text_gets_an_answer(recommender: Recommender, user_id: str, query: str) -> None:
    assert len(look(recommender, user_id, query, k=5).items) == 5


def test_weird_user_ids_are_only_names(recommender: Recommender, user_id: str) -> None:
    for name in ("'; DELETE FROM swipe_events; --", "🦄 " + user_id, "‏مستخدم"):
        item_id = look(recommender, name, "lonely machines in space", k=1).items[0].item_id
        assert recommender.record_swipe(name, item_id, Direction.LIKE).swipe_count == 1
        assert item_id not in ids(look(recommender, name, "lonely machines in space", k=50))
        recommender.forget_user(name)
    assert look(recommender, user_id, "lonely machines in space", k=1).items


def test_a_second_time_is_cached_and_identical(
    recommender: Recommender, fans: dict[str, str]
) -> None:
    fan = fans[ROMANCE]
    first = look(recommender, fan, "a long goodbye", k=9, explain=True)
    again = look(recommender, fan, "  a long   goodbye ", k=9, explain=True)
    assert (first.cached, again.cached) == (False, True)
    assert again.items == first.items
    assert again.understood == first.understood
    assert again.intelligence_metadata.embedding_cached
    assert not look(recommender, fan, "a long goodbye", k=8, explain=True).cached


def test_a_swipe_makes_the_next_answer_fresh(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    for number, swipes in enumerate((0, 6, 20)):
        tell(recommender, user_id, opinions(catalogue, SCI_FI, ROMANCE, swipes))
        query = f"an evening of wonder {number}"
        shown = look(recommender, user_id, query, k=5)
        assert look(recommender, user_id, query, k=5).cached
        gone = shown.items[2].item_id
        recommender.record_swipe(user_id, gone, Direction.DISLIKE)
        fresh = look(recommender, user_id, query, k=5)
        assert not fresh.cached
        assert gone not in ids(fresh)
        recommender.undo_swipe(user_id, gone)


def test_new_users_share_generic_answers(recommender: Recommender, user_id: str) -> None:
    query = "two strangers share a query"
    one = look(recommender, f"{user_id}-1", query)
    two = look(recommender, f"{user_id}-2", query)
    assert (one.cached, two.cached) == (False, True)
    assert ranking(one) == ranking(two)
    assert (one.user_id, two.user_id) == (f"{user_id}-1", f"{user_id}-2")


def test_scores_are_equal_for_equal_swipes(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    for twin in ("one", "two"):
        tell(recommender, user_id + twin, opinions(catalogue, ROMANCE, SCI_FI, 16))
    one, two = (look(recommender, user_id + twin, CLEVER) for twin in ("one", "two"))
    assert [item_id for item_id, _ in ranking(one)] == [item_id for item_id, _ in ranking(two)]
    assert [item.score for item in one.items] == pytest.approx([i.score for i in two.items])


def test_for_parents_it_leads_with_nothing_gory_or_scary(
    recommender: Recommender, user_id: str
) -> None:
    usual = look(recommender, user_id, "", k=10)
    others = look(recommender, user_id, "for my parents tonight", k=10)
    refused = tags_refused(others.understood.less)
    by_id = {item.item_id: item for item in recommender.films()}

    def harsh(result: SearchResult) -> int:
        return sum(bool(refused & set(by_id[item.item_id].tags)) for item in result.items)

    assert harsh(usual) > 0
    assert harsh(others) == 0


def test_for_someone_else_the_persons_own_taste_counts_little(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    tell(recommender, user_id, opinions(catalogue, SCI_FI, ROMANCE))
    before = recommender.profile(user_id)
    own = look(recommender, user_id, "a film about friendship", k=10)
    others = look(recommender, user_id, "a film about friendship for my parents", k=10)
    assert others.understood.for_someone_else
    assert share(films(recommender, others), SCI_FI) <= share(films(recommender, own), SCI_FI)
    influence = own.intelligence_metadata.preference_influence
    assert 0 < others.intelligence_metadata.preference_influence < influence
    assert recommender.profile(user_id) == before


def test_who_loves_two_opposite_genres_gets_both(
    recommender: Recommender, catalogue: Catalogue, user_id: str
) -> None:
    for genre, other in (("Horror", ROMANCE), (ROMANCE, "Horror")):
        said = opinions(catalogue, genre, other, 12)
        tell(recommender, user_id, {i: word for i, word in said.items() if word == "like"})
    first = films(recommender, look(recommender, user_id, "", k=10))
    assert any("Horror" in film.genres for film in first)
    assert any(ROMANCE in film.genres for film in first)


@pytest.mark.parametrize(
    ("query", "less", "word"),
    [
        ("something like Arrival", "less sad", "sad"),
        ("a horror film", "not too gory", "gory"),
        ("a comedy", "less silly", "silly"),
    ],
)
def test_less_of_something_is_less_of_it(
    recommender: Recommender, query: str, less: str, word: str
) -> None:
    refused = tags_refused((word,))

    def tagged(asked: str) -> int:
        return sum(
            bool(refused & {*film.tags})
            for film in films(recommender, look(recommender, "nobody-less", asked))
        )

    assert tagged(f"{query}, {less}") < tagged(query)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("animated films, no disney", "disney"),
        ("fantasy; not harry potter", "harry potter"),
        ("anything but star wars", "star wars"),
    ],
)
def test_films_that_carry_a_refused_name_are_left_out(
    recommender: Recommender, catalogue: Catalogue, user_id: str, query: str, name: str
) -> None:
    result = look(recommender, user_id, query, k=50)
    assert result.understood.without == (name,)
    found = [catalogue.get(item_id) for item_id in ids(result)]
    assert len(found) == 50
    assert not [film.title for film in found if name in (*film.tags, film.title.lower())]
    assert not [film.title for film in found if film.title.lower().startswith(name)]
