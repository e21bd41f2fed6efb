"""What the custom elements are given: plain dictionaries made from the domain's answers.

Each function returns the ``props`` of one element in ``public/elements``; its name says which.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from recommender.models import (
    Direction,
    Explanation,
    HistoryReceipt,
    Item,
    Profile,
    RecommendedItem,
    SearchResult,
    SurveyMovie,
    SurveySession,
    SurveyStep,
    SwipeReceipt,
    Understanding,
)

Props = dict[str, Any]
_FILM_FIELDS = {
    "item_id",
    "title",
    "year",
    "genres",
    "director",
    "cast",
    "overview",
    "poster",
    "credit",
}
LISTED = 200
"""Films of an export that are listed."""
_FALLBACKS = {
    "encoder": "the language model that reads meaning",
    "fusion": "the model that fuses words and taste",
    "explanation_model": "the explanation model",
    "exposure_log": "the experiment's log",
}


def film(movie: SurveyMovie | RecommendedItem | Item) -> Props:
    """The fields every card shows."""
    return movie.model_dump(mode="json", include=_FILM_FIELDS)


def taste(profile: Profile) -> Props:
    """The part of a profile that changes with every swipe."""
    return {
        "swipes": profile.swipe_count,
        "likes": profile.like_count,
        "dislikes": profile.dislike_count,
        "skips": profile.skip_count,
        "confidence": profile.preference_confidence,
        "strategy": profile.strategy,
        "top_genres": [weight.model_dump() for weight in profile.top_genres],
        "avoided_genres": [weight.model_dump() for weight in profile.avoided_genres],
        "beliefs": [belief.model_dump(mode="json") for belief in profile.beliefs],
    }


def swipe_deck(session: SurveySession, profile: Profile) -> Props:
    """Props of ``SwipeDeck``: the survey's cards and the profile they will move."""
    return {
        "session_id": session.session_id,
        "movies": [film(movie) for movie in session.movies],
        "taste": taste(profile),
    }


def survey_step(step: SurveyStep) -> Props:
    """What ``SwipeDeck`` deals next: ``next`` goes under the card that is shown."""
    return {"next": film(step.movie) if step.movie else None, "settled": step.settled}


def movie_cards(
    result: SearchResult,
    titles: Mapping[str, str],
    refinements: Sequence[str] = (),
    with_reasons: bool = True,
) -> Props:
    """Props of ``MovieCards``. ``titles`` names the films in ``result.understood.similar_to``.

    ``refinements`` are what the person changed about their wish, each of which they can take back.
    """
    best = max((item.score for item in result.items), default=0.0)
    metadata = result.intelligence_metadata
    return {
        "movies": [_recommended(item, best, with_reasons) for item in result.items],
        "read_as": read_as(result.understood, titles),
        "refinements": list(refinements),
        "strategy": metadata.strategy,
        "without": _without(metadata.degraded),
    }


def _recommended(item: RecommendedItem, best: float, with_reasons: bool) -> Props:
    """A card; ``match`` is its score as a share of the best one of the same answer, 0..1."""
    match = item.score / best if best > 0 else 0.0
    return {
        **film(item),
        "match": round(min(max(match, 0.0), 1.0), 3),
        "boost": round(item.preference_boost, 3),
        "reasons": list(item.reason) if with_reasons else [],
    }


def read_as(understood: Understanding, titles: Mapping[str, str]) -> list[str]:
    """How the words were read, as short phrases a person can correct."""
    filters = understood.filters
    return [
        *(["for someone else"] if understood.for_someone_else else ()),
        *(f"like {titles[item_id]}" for item_id in understood.similar_to if item_id in titles),
        *filters.include_genres,
        *(f"leaning {genre}" for genre in understood.soft_genres),
        *(f"no {genre}" for genre in filters.exclude_genres),
        *(f"less {word}" for word in understood.less),
        *(f"no {name}" for name in understood.without),
        *([f"{understood.part} work"] if understood.part else ()),
        *_years(filters.year_from, filters.year_to),
        *(f"with {name}" for name in filters.people),
        *(f"no {name}" for name in filters.exclude_people),
    ]


def _years(first: int | None, last: int | None) -> list[str]:
    if first and last:
        return [str(first) if first == last else f"{first}–{last}"]
    if first:
        return [f"{first} or later"]
    return [f"up to {last}"] if last else []


def taste_profile(profile: Profile) -> Props:
    """Props of ``TasteProfile``: what is believed of a person, as figures to draw."""
    return {
        **taste(profile),
        "top_tags": [weight.model_dump() for weight in profile.top_tags],
        "favourite_years": profile.favourite_years,
        "popularity_bias": profile.popularity_bias,
        "weights": profile.learned_weights.model_dump(),
        "recent_likes": list(profile.recent_likes),
    }


def welcome(profile: Profile, picks: SearchResult) -> Props:
    """Props of ``Welcome``: how well the person is known, and a few posters to set the mood."""
    return {"swipes": profile.swipe_count, "movies": [film(item) for item in picks.items]}


def evidence(explanation: Explanation) -> Props:
    """Props of ``Evidence``: the facts an explanation rests on."""
    return {
        "item_id": explanation.item_id,
        "title": explanation.title,
        "facts": [fact.model_dump(mode="json") for fact in explanation.evidence],
        "model": explanation.model,
        "without": _without(explanation.degraded),
    }


def _without(degraded: Sequence[str]) -> list[str]:
    """What was done without, in words."""
    return [_FALLBACKS.get(name, name.replace("_", " ")) for name in degraded]


def reaction(receipt: SwipeReceipt, item: Item, counts: Direction | None) -> Props:
    """Props of ``Reaction``: one swipe made in words, with its undo, or one taken back.

    ``counts`` is what is held of the film now: an earlier swipe may stand again.
    """
    return {
        "movie": film(item),
        "direction": counts.value if counts else None,
        "swipes": receipt.swipe_count,
    }


def history_import(receipt: HistoryReceipt, file_id: str) -> Props:
    """Props of ``HistoryImport``: what an export would record, and what becomes of the rest.

    Of long lists the first are shown, and all are counted.
    """
    likes = sum(match.direction is Direction.LIKE for match in receipt.matches)
    films = {"item_id", "title", "year", "direction", "named", "score"}
    return {
        "file_id": file_id,
        "export_id": receipt.session_id,
        "site": receipt.site,
        "likes": likes,
        "dislikes": len(receipt.matches) - likes,
        "matches": [
            match.model_dump(mode="json", include=films) for match in receipt.matches[:LISTED]
        ],
        "unmatched": [film.model_dump(mode="json") for film in receipt.unmatched[:LISTED]],
        "unmatched_count": len(receipt.unmatched),
        "known": receipt.known,
        "neutral": receipt.neutral,
        "recorded": False,
    }


def drawn(props: Props) -> Props:
    """The props of an element that is drawn now: what its page notes belongs to this drawing."""
    return props | {"drawn": uuid4().hex}


def renewed(props: Props, profile: Profile, reactions: Mapping[str, Direction]) -> Props:
    """The props of an element that was made earlier, as profile and reactions are now."""
    fresh = drawn(props)
    if "movies" in props:
        fresh["movies"] = [_reacted(movie, reactions) for movie in props["movies"]]
    if "movie" in props:
        reaction = reactions.get(props["movie"]["item_id"])
        fresh["direction"] = reaction.value if reaction else None
    if "session_id" in props:  # the answered cards of a stack lie below the others
        fresh["movies"].sort(key=lambda movie: movie["reaction"] is None)
        fresh["taste"] = taste(profile)
    if "matches" in props:
        fresh["recorded"] = any(
            reactions.get(film["item_id"]) == film["direction"] for film in props["matches"]
        )
    if "beliefs" in props:
        fresh |= taste_profile(profile)
    return fresh


def _reacted(movie: Props, reactions: Mapping[str, Direction]) -> Props:
    reaction = reactions.get(movie["item_id"])
    return movie | {"reaction": reaction.value if reaction else None}


def plain(text: str) -> str:
    """Escape Markdown, so that titles such as ``M*A*S*H`` read as they are."""
    return "".join(
        f"\\{letter}" if letter in "\\`*_{}[]()#+-!|<>~:&" else letter for letter in text
    )
