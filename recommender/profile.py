"""A person's taste in figures that can be shown."""

from collections import Counter
from collections.abc import Mapping, Sequence

from recommender.catalogue import Catalogue, decades
from recommender.models import (
    Belief,
    BeliefKind,
    Direction,
    Item,
    Profile,
    SwipedFilm,
    TasteWeight,
    TransformerMetrics,
)
from recommender.preferences.learn import LABEL_SHRINKAGE, lifts
from recommender.preferences.model import Tier
from recommender.users import UserState

SHOWN_LABELS = 5
SHOWN_TAGS = 8
SHOWN_ERAS = 2
NOTABLE = 0.1
SHOWN_LIKES = 10


def describe(state: UserState, tier: Tier, catalogue: Catalogue, vector_dim: int) -> Profile:
    """What is believed about a user, and from how many swipes."""
    preferences = state.preferences
    likes = state.items(Direction.LIKE)
    top_genres = _strongest(preferences.genre_weights, 1, SHOWN_LABELS)
    avoided_genres = _strongest(preferences.genre_weights, -1, SHOWN_LABELS)
    swiped = catalogue.select(
        item_id for item_id, swipe in state.swipes.items() if swipe.direction is not Direction.SKIP
    )
    swiped.sort(key=lambda item: (item.title, item.item_id))
    top_tags = _strongest(_returning(preferences.tag_weights, swiped, "theme"), 1, SHOWN_TAGS)
    believed: list[tuple[BeliefKind, TasteWeight]] = [
        *(("genre", each) for each in (*top_genres, *avoided_genres)),
        *(("era", each) for each in _eras(swiped, state, catalogue)),
        *(("theme", each) for each in top_tags),
    ]
    return Profile(
        user_id=state.user_id,
        swipe_count=len(state.swipes),
        like_count=len(likes),
        dislike_count=len(state.items(Direction.DISLIKE)),
        skip_count=len(state.items(Direction.SKIP)),
        preference_confidence=preferences.confidence,
        strategy=tier,
        top_genres=top_genres,
        avoided_genres=avoided_genres,
        top_tags=top_tags,
        favourite_years=_years(preferences.year_centre, preferences.year_spread),
        popularity_bias=preferences.popularity_bias,
        learned_weights=preferences.search_weights,
        transformer_metrics=TransformerMetrics(
            model_version=preferences.model_version,
            vector_dim=vector_dim,
            vector_strategy=preferences.vector_strategy,
            preference_hash=preferences.preference_hash,
        ),
        recent_likes=tuple(item.title for item in catalogue.select(likes[-SHOWN_LIKES:][::-1])),
        updated_at=preferences.updated_at,
        beliefs=_beliefs(believed, swiped, state),
    )


def _returning(
    weights: Mapping[str, float], swiped: Sequence[Item], kind: BeliefKind
) -> dict[str, float]:
    """The weights of labels that more than one film had: of many, each film has some alone."""
    counts = Counter(label for item in swiped for label in _labels(kind, item))
    return {label: weight for label, weight in weights.items() if counts[label] > 1}


def _eras(
    swiped: Sequence[Item], state: UserState, catalogue: Catalogue
) -> tuple[TasteWeight, ...]:
    """The decades that are liked and avoided most, weighed as genres are."""
    liked, disliked = (
        [decades(item) for item in swiped if state.swipes[item.item_id].direction is direction]
        for direction in (Direction.LIKE, Direction.DISLIKE)
    )
    weights = _returning(lifts(liked, disliked, catalogue.decade_shares), swiped, "era")
    return *_strongest(weights, 1, SHOWN_ERAS), *_strongest(weights, -1, SHOWN_ERAS)


def _labels(kind: BeliefKind, item: Item) -> tuple[str, ...]:
    """What a film has that beliefs of a kind are about."""
    if kind == "era":
        return decades(item)
    return item.genres if kind == "genre" else item.tags


def _beliefs(
    believed: Sequence[tuple[BeliefKind, TasteWeight]], swiped: Sequence[Item], state: UserState
) -> tuple[Belief, ...]:
    """Each as sure as learning shrinks it: n / (n + 2) for n films that bear on it."""
    bearing: dict[tuple[BeliefKind, str], list[SwipedFilm]]
    bearing = {(kind, weight.name): [] for kind, weight in believed}
    for item in swiped:
        direction = state.swipes[item.item_id].direction
        film = SwipedFilm(item_id=item.item_id, title=item.title, direction=direction)
        for (kind, name), films in bearing.items():
            if name in _labels(kind, item):
                films.append(film)
    return tuple(
        Belief(
            kind=kind,
            name=weight.name,
            weight=weight.weight,
            sureness=round(len(films) / (len(films) + LABEL_SHRINKAGE), 3),
            films=tuple(films),
        )
        for (kind, weight), films in zip(believed, bearing.values(), strict=True)
    )


def _strongest(weights: Mapping[str, float], sign: int, count: int) -> tuple[TasteWeight, ...]:
    notable = [name for name, weight in weights.items() if sign * weight >= NOTABLE]
    notable.sort(key=lambda name: (-sign * weights[name], name))
    return tuple(TasteWeight(name=name, weight=weights[name]) for name in notable[:count])


def _years(centre: float | None, spread: float | None) -> tuple[int, int] | None:
    """One standard deviation around the mean year of the likes."""
    if centre is None or spread is None:
        return None
    return round(centre - spread), round(centre + spread)
