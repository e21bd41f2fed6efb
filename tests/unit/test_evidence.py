"""Evidence on single films: what is said, and what is left unsaid."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from recommender.catalogue import Catalogue
from recommender.evidence import EvidenceFinder, Question
from recommender.models import Direction, Evidence, Filters, Item, Swipe, Understanding
from recommender.preferences.learn import no_preferences
from recommender.preferences.model import Tier
from recommender.settings import RecommenderSettings
from recommender.stores.ports import LogVersion, Vector
from recommender.users import UserState
from recommender.word_search import InProcess

DIM = 4
HEAT = Item(
    item_id="heat",
    title="Heat",
    year=1995,
    genres=("Crime", "Drama"),
    director=("Michael Mann",),
    cast=("Al Pacino", "Robert De Niro"),
    tags=("heist", "los angeles"),
    overview="A robbery crew and a detective.",
    rating_count=5,
    rating_mean=4.9,
)
RONIN = HEAT.model_copy(
    update={"item_id": "ronin", "title": "Ronin", "year": 1998, "director": ("J. F.",), "tags": ()}
)
PIG = Item(item_id="pig", title="Babe", year=1995, genres=("Comedy",), rating_count=900)
ITEMS = (HEAT, RONIN, PIG)
VECTORS: Mapping[str, Vector] = {
    item.item_id: np.eye(DIM, dtype=np.float32)[row] for row, item in enumerate(ITEMS)
}


@pytest.fixture(scope="module")
def finder() -> EvidenceFinder:
    catalogue = Catalogue(ITEMS)
    words = InProcess(catalogue, RecommenderSettings())
    return EvidenceFinder(catalogue, words.holding, np.zeros(DIM, dtype=np.float32))


def find(
    finder: EvidenceFinder,
    item: Item,
    understood: Understanding | None = None,
    said: Mapping[str, str] | None = None,
    tier: Tier = "personal",
    **taste: Any,  # noqa: ANN401
) -> list[Evidence]:
    swipes = {
        item_id: Swipe.model_validate(
            {
                "item_id": item_id,
                "direction": direction,
                "swiped_at": datetime(2026, 1, 1, tzinfo=UTC),
                "event_id": number,
            }
        )
        for number, (item_id, direction) in enumerate((said or {}).items())
    }
    preferences = no_preferences("model").model_copy(update=taste)
    state = UserState("ann", LogVersion(1, 1, 1), swipes, preferences)
    question = Question(understood or Understanding(), state, tier, None, VECTORS)
    return finder.find(item, VECTORS[item.item_id], question)


def test_for_someone_else_ones_own_taste_tells_less(finder: EvidenceFinder) -> None:
    swipes = {
        "ronin": Swipe(
            item_id="ronin",
            direction=Direction.LIKE,
            swiped_at=datetime(2026, 1, 1, tzinfo=UTC),
            event_id=1,
        )
    }
    preferences = no_preferences("model").model_copy(update={"genre_weights": {"Crime": 0.9}})
    state = UserState("ann", LogVersion(1, 1, 1), swipes, preferences)
    asked = Understanding(text="detective", filters=Filters(year_from=1990))
    own, others = (
        {
            fact.text: fact.weight
            for fact in finder.find(
                HEAT, VECTORS["heat"], Question(asked, state, "personal", None, VECTORS, share)
            )
        }
        for share in (1.0, 0.3)
    )
    taste = {
        "Like Ronin, which you liked: with Al Pacino",
        "You go for Crime (liked 1 of 1 swiped)",
    }
    assert own.keys() == others.keys()
    for text, weight in own.items():
        share = 0.3 if text in taste else 1.0
        assert others[text] == pytest.approx(share * weight, abs=1e-3)
    assert "You go for Crime (liked 1 of 1 swiped)" in own


@pytest.mark.parametrize(("direction", "said"), [("like", "liking"), ("dislike", "disliking")])
def test_a_film_that_was_mentioned_is_not_called_swiped(
    finder: EvidenceFinder, direction: str, said: str
) -> None:
    swipe = Swipe(
        item_id="ronin",
        direction=Direction(direction),
        swiped_at=datetime(2026, 1, 1, tzinfo=UTC),
        event_id=0,
    )
    state = UserState(
        "ann", LogVersion(), {"ronin": swipe}, no_preferences("model"), frozenset({"ronin"})
    )
    close = {"ronin": VECTORS["heat"]}
    question = Question(Understanding(), state, "light", None, close)
    texts = {fact.text for fact in finder.find(HEAT, VECTORS["heat"], question)}
    assert f"Like Ronin, which you mentioned {said}: with Al Pacino" in texts


def kinds(found: list[Evidence]) -> set[str]:
    return {fact.kind for fact in found}


def test_a_person_is_credited_with_the_right_role(finder: EvidenceFinder) -> None:
    for name, start in (("Michael Mann", "Directed by"), ("Al Pacino", "With")):
        asked = Understanding(filters=Filters(people=(name,)))
        assert find(finder, HEAT, asked)[0].text == f"{start} {name}, as you asked"
        assert "person" not in kinds(find(finder, PIG, asked))


@pytest.mark.parametrize(
    ("years", "fits"),
    [
        ({"year_from": 1990, "year_to": 1999}, True),
        ({"year_from": 1995, "year_to": 1995}, True),
        ({"year_from": 1995}, True),
        ({"year_to": 1995}, True),
        ({"year_from": 1996}, False),
        ({"year_to": 1994}, False),
        ({}, False),
    ],
)
def test_years_are_mentioned_when_they_fit(
    finder: EvidenceFinder, years: dict[str, int], fits: bool
) -> None:
    found = find(finder, HEAT, Understanding(filters=Filters(**years)))
    assert ("year" in kinds(found)) is fits


def test_matched_words_are_the_films_own(finder: EvidenceFinder) -> None:
    found = find(finder, HEAT, Understanding(text="robberies in Paris by a crew"))
    words = next(fact.text for fact in found if fact.kind == "query")
    assert words == "Matches your words: robberies, crew"


def test_likeness_names_what_is_shared(finder: EvidenceFinder) -> None:
    found = find(finder, HEAT, Understanding(similar_to=("ronin", "pig", "heat")))
    anchors = [fact for fact in found if fact.kind == "anchor_film"]
    assert [(fact.item_id, fact.text) for fact in anchors] == [
        ("ronin", "Like Ronin: with Al Pacino")
    ]


@pytest.mark.parametrize(
    ("said", "weight", "claims"),
    [
        ({"ronin": "like"}, 0.8, ["You go for Crime (liked 1 of 1 swiped)"]),
        ({"ronin": "dislike"}, -0.8, ["You tend to pass on Crime (liked 0 of 1 swiped)"]),
        ({"ronin": "dislike"}, 0.8, []),
        ({"ronin": "like"}, -0.8, []),
        ({"ronin": "skip"}, 0.8, []),
        ({"pig": "like"}, 0.8, []),
    ],
)
def test_tastes_are_claimed_only_where_the_swipes_bear_them_out(
    finder: EvidenceFinder, said: dict[str, str], weight: float, claims: list[str]
) -> None:
    found = find(finder, HEAT, said=said, genre_weights={"Crime": weight})
    genres = [fact for fact in found if fact.kind == "genre"]
    assert [fact.text for fact in genres] == claims
    assert all(fact.against is (weight < 0) for fact in genres)


def test_the_generic_tier_claims_no_taste(finder: EvidenceFinder) -> None:
    found = find(finder, HEAT, None, {"ronin": "like"}, "generic", genre_weights={"Crime": 0.9})
    assert kinds(found) <= {"acclaim", "popularity"}


def test_few_ratings_are_no_acclaim(finder: EvidenceFinder) -> None:
    assert "acclaim" not in kinds(find(finder, HEAT))
    assert "popularity" in kinds(find(finder, PIG))


def test_the_named_film_comes_first(finder: EvidenceFinder) -> None:
    found = find(finder, HEAT, Understanding(text="heat", lookup="heat"))
    assert found[0].text == "The film you named"
    assert [fact.weight for fact in found] == sorted((f.weight for f in found), reverse=True)


def test_films_asked_about_together_have_the_facts_that_each_has_alone(
    finder: EvidenceFinder,
) -> None:
    swipes = {
        item.item_id: Swipe(
            item_id=item.item_id,
            direction=direction,
            swiped_at=datetime(2026, 1, 1, tzinfo=UTC),
            event_id=1,
        )
        for item, direction in ((RONIN, Direction.LIKE), (PIG, Direction.DISLIKE))
    }
    preferences = no_preferences("model").model_copy(
        update={"genre_weights": {"Crime": 0.9, "Comedy": -0.5}}
    )
    state = UserState("ann", LogVersion(1, 1, 1), swipes, preferences)
    asked = Understanding(text="crew", similar_to=("ronin",), soft_genres=("Crime",))
    question = Question(asked, state, "personal", VECTORS["heat"], VECTORS)
    matrix = np.array([VECTORS[item.item_id] for item in ITEMS])
    together = finder.facts(ITEMS, matrix, question)
    for item, facts in zip(ITEMS, together, strict=True):
        alone = finder.find(item, VECTORS[item.item_id], question)
        assert [fact.shown() for fact in facts] == alone
    assert finder.facts([], np.zeros((0, 0), dtype=np.float32), question) == []


def test_of_many_swiped_films_the_closest_two_are_told() -> None:
    """The weightiest two that are close enough or share something, however many there are."""
    cosines = (0.05, 0.15, 0.45, 0.25, 0.35, 0.12)
    films = [Item(item_id=f"film-{n}", title=f"Film {n}") for n in range(len(cosines))]
    seen = HEAT.model_copy(update={"item_id": "new", "tags": ()})
    vectors = {
        film.item_id: np.array([cosine, np.sqrt(1 - cosine**2), 0, 0], dtype=np.float32)
        for film, cosine in zip(films, cosines, strict=True)
    }
    catalogue = Catalogue([seen, *films])
    holding = InProcess(catalogue, RecommenderSettings()).holding
    swipes = {
        film.item_id: Swipe(
            item_id=film.item_id,
            direction=Direction.LIKE,
            swiped_at=datetime(2026, 1, 1, tzinfo=UTC),
            event_id=1,
        )
        for film in films
    }
    state = UserState("ann", LogVersion(1, 1, 1), swipes, no_preferences("model"))
    question = Question(Understanding(), state, "personal", None, vectors)
    own = np.eye(DIM, dtype=np.float32)[0]
    found = EvidenceFinder(catalogue, holding, np.zeros(DIM, dtype=np.float32)).find(
        seen, own, question
    )
    liked = {fact.item_id: fact.weight for fact in found if fact.kind == "liked_film"}
    assert list(liked) == ["film-2", "film-4"]
    assert list(liked.values()) == pytest.approx([0.81, 0.63])
