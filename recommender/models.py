"""The words of the domain: films, swipes, requests and answers.

Everything here is immutable and knows nothing of storage, HTTP or chat. The answers are what every
door shows: the REST routes return them as they are, the chat tools carry them as artifacts.
"""

import re
import sys
import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from recommender.experiments.variants import ShownVariant, Variant

MAX_RESULTS = 100
USUAL_RESULTS = 20
"""How many films a search shows unless asked for more or fewer."""
MAX_QUERY_CHARS = 10_000
MAX_NAMES = 20
MAX_NAMED_FILMS = 10
MAX_HISTORY = 50
MAX_TASTE = 2.0
MAX_ADDRESS = 500

_HOST = r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?"
_HTTPS = re.compile(rf"https://{_HOST}/[\w.~:/?#\[\]@!$&'()*+,;=%-]*", re.ASCII)


class Frozen(BaseModel):
    """Base of all domain models: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Direction(StrEnum):
    """What a swipe says. ``skip`` ("haven't seen it") says nothing of taste."""

    LIKE = "like"
    DISLIKE = "dislike"
    SKIP = "skip"


def printable(text: str) -> str:
    """The text without what none holds, and PostgreSQL refuses: NUL and lone surrogates."""
    return text.encode(errors="ignore").decode().replace("\x00", "")


def _printable(text: str) -> str:
    if printable(text) != text:
        raise ValueError("contains characters that are not text (NUL or a lone surrogate)")
    return text


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _printable_query(text: object) -> object:
    """A query is free text: characters that no text holds are dropped, not refused."""
    return printable(text) if isinstance(text, str) else text


def _https(url: str) -> str:
    if not _HTTPS.fullmatch(url):
        raise ValueError("is no address that begins with https://host/")
    return url


Identifier = Annotated[
    str,
    Field(min_length=1, max_length=128, json_schema_extra={"pattern": r"^[^\u0000]+$"}),
    AfterValidator(_printable),
]


def _addressable(user_id: str) -> str:
    if user_id in (".", "..", "*") or any(
        c in "/\\" or unicodedata.category(c) == "Cc" for c in user_id
    ):
        raise ValueError("may not hold a slash or control characters, nor be '.', '..' or '*'")
    return user_id


UserIdentifier = Annotated[
    Identifier,
    Field(
        json_schema_extra={
            "pattern": r"^(?!(?:\.{1,2}|\*)$)[^/\\\u0000-\u001f\u007f-\u009f]+$",
        }
    ),
    AfterValidator(_addressable),
]
Query = Annotated[str, Field(max_length=MAX_QUERY_CHARS), BeforeValidator(_printable_query)]
Names = Annotated[tuple[Identifier, ...], Field(max_length=MAX_NAMES)]
Moment = Annotated[datetime, AfterValidator(_aware)]
PosterUrl = Annotated[
    str,
    Field(max_length=MAX_ADDRESS, json_schema_extra={"format": "uri", "pattern": "^https://"}),
    AfterValidator(_https),
]

DIRECTED = "Directed by"
Shared = Annotated[str, AfterValidator(sys.intern)]
"""A word of many films, which is in memory once."""
Credit = Annotated[
    str, Field(pattern=r"^[A-Z][a-z]+( [a-z]+){0,3}$", max_length=40), AfterValidator(sys.intern)
]


class Item(Frozen):
    """One film of the catalogue, or what else it holds.

    ``credit`` is what those in ``director`` did: the authors of books have "Written by".
    """

    item_id: Identifier
    title: str = Field(min_length=1)
    year: int | None = None
    genres: tuple[Shared, ...] = ()
    director: tuple[Shared, ...] = ()
    credit: Credit = DIRECTED
    cast: tuple[Shared, ...] = ()
    tags: tuple[Shared, ...] = ()
    overview: str = ""
    poster: PosterUrl | None = None
    imdb_id: str | None = None
    tmdb_id: int | None = None
    rating_count: int = Field(default=0, ge=0)
    rating_mean: float | None = Field(default=None, ge=0, le=5)

    def model_post_init(self, _context: object) -> None:
        """Which fields were given is noted in a set of its own for each film, of 730 bytes: these
        are held by the ten thousand, and nobody asks.
        """
        object.__setattr__(self, "__pydantic_fields_set__", _FIELDS_OF_AN_ITEM)

    @property
    def people(self) -> tuple[str, ...]:
        """Directors, then cast."""
        return self.director + self.cast


_FIELDS_OF_AN_ITEM = set(Item.model_fields)


class Swipe(Frozen):
    """A person's current word on one film."""

    item_id: str
    direction: Direction
    swiped_at: datetime
    event_id: int


class SwipeEvent(Frozen):
    """One line of the append-only log. ``undo`` takes back its film's latest standing swipe."""

    event_id: int
    user_id: str
    item_id: str
    action: Literal["like", "dislike", "skip", "undo"]
    session_id: str | None
    swiped_at: datetime
    recorded_at: datetime
    idempotency_key: str | None = None


class Exposure(Frozen):
    """One answer as an experiment showed it, its films best first.

    ``teams`` says of each film of an interleaved answer which variant drafted it: None where one
    variant had no film left, so that the film counts for neither.
    """

    exposure_id: int
    experiment: str
    user_id: str
    variant: ShownVariant
    item_ids: tuple[str, ...]
    teams: tuple[Variant | None, ...] | None
    shown_at: datetime


class Filters(Frozen):
    """Hard limits on what may be returned.

    ``include_genres``: a film has all of them. ``exclude_genres``: it has none of them.
    ``people``: it has all of them among directors and cast. ``exclude_people``: none of them.
    Years are inclusive.
    """

    include_genres: Names = ()
    exclude_genres: Names = ()
    year_from: int | None = Field(default=None, ge=1, le=2100)
    year_to: int | None = Field(default=None, ge=1, le=2100)
    people: Names = ()
    exclude_people: Names = ()
    exclude_seen: bool = True

    @model_validator(mode="after")
    def _years_in_order(self) -> "Filters":
        if self.year_from and self.year_to and self.year_from > self.year_to:
            raise ValueError("year_from is after year_to; swap them")
        return self


class Mention(Frozen):
    """A film that somebody says they like or dislike, without swiping it."""

    item_id: Identifier
    direction: Literal[Direction.LIKE, Direction.DISLIKE] = Direction.LIKE


class SearchRequest(Frozen):
    """What to look for. An empty query means "recommend me something".

    ``history`` (oldest first) and ``dislikes`` count as swipes for this one answer and are not
    recorded. Without ``use_taste`` the recorded ones count for nothing but films already seen.
    ``taste`` is how much they count beside the words, 1 being what was fitted; ``variant`` is the
    way of searching, if it is not the one that the settings or an experiment give this user.
    """

    user_id: UserIdentifier
    query: Query = ""
    k: int = Field(default=USUAL_RESULTS, ge=1, le=MAX_RESULTS)
    explain: bool = False
    filters: Filters = Filters()
    similar_to: tuple[Identifier, ...] = Field(default=(), max_length=MAX_NAMED_FILMS)
    dislikes: tuple[Identifier, ...] = Field(default=(), max_length=MAX_NAMED_FILMS)
    history: tuple[Mention, ...] = Field(default=(), max_length=MAX_HISTORY)
    use_taste: bool = True
    taste: float = Field(default=1.0, ge=0, le=MAX_TASTE)
    variant: Variant | None = None
    for_someone_else: bool = False
    explore: float | None = Field(default=None, ge=0, le=1)

    @property
    def mentions(self) -> dict[str, Direction]:
        """What is said of films, the latest last; a film's last mention counts."""
        said = [(mention.item_id, mention.direction) for mention in self.history]
        said += [(item_id, Direction.DISLIKE) for item_id in self.dislikes]
        return dict(said)


EvidenceKind = Literal[
    "query",
    "anchor_film",
    "person",
    "filter",
    "year",
    "liked_film",
    "disliked_film",
    "co_liked",
    "genre",
    "tag",
    "acclaim",
    "popularity",
    "counterfactual",
]


class Evidence(Frozen):
    """One checkable fact behind a recommendation.

    ``kind`` is what it rests on; ``item_id`` names the swiped or anchor film it points to, if any;
    ``weight`` is how much it tells, 0..1; ``against`` marks what speaks against the film.
    """

    kind: EvidenceKind
    text: str
    item_id: str | None = None
    weight: float = Field(default=0.0, ge=0.0, le=1.0)
    against: bool = False


class FilmCard(Frozen):
    """What every card says of a film."""

    item_id: str
    title: str
    year: int | None
    genres: tuple[str, ...]
    director: tuple[str, ...]
    cast: tuple[str, ...]
    overview: str
    poster: PosterUrl | None = None
    credit: Credit = DIRECTED

    @classmethod
    def facts(cls, item: Item) -> dict[str, Any]:
        """The card's part of a film's facts."""
        return {name: getattr(item, name) for name in FilmCard.model_fields}


class RecommendedItem(FilmCard):
    """A film in an answer, with why it is there.

    ``preference_boost`` is the part of ``score`` that comes from the person's swipes;
    it is negative for films their dislikes pushed down.
    """

    score: float
    preference_boost: float
    reason: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()


Part = Literal["early", "late"]
"""Of somebody's work."""


class Understanding(Frozen):
    """How a query was read; shown to the user so that they can correct it.

    ``less`` holds what films shall have less of, such as "sad". ``without`` holds names whose films
    are left out: all that carry one in their title or tags; ``unknown`` those that no film carries.
    ``part`` is of the work of the people in ``filters``, whose years stand there too.
    """

    text: str = ""
    similar_to: tuple[str, ...] = ()
    filters: Filters = Filters()
    soft_genres: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    part: Part | None = None
    lookup: str | None = None
    for_someone_else: bool = False

    @property
    def anchors(self) -> tuple[str, ...]:
        """Ids of the films that the answer shall be like."""
        return self.similar_to if self.lookup is None else (*self.similar_to, self.lookup)


class IntelligenceMetadata(Frozen):
    """How the answer was made. ``degraded`` names every fallback that was taken."""

    embedding_cached: bool
    preference_influence: float = Field(ge=0, le=1)
    confidence_score: float = Field(ge=0, le=1)
    transformer_latency_ms: float = Field(ge=0)
    strategy: Literal["generic", "light", "personal"]
    variant: ShownVariant
    degraded: tuple[str, ...] = ()


class SearchResult(Frozen):
    """The answer to a search, best first."""

    user_id: str
    items: tuple[RecommendedItem, ...]
    model_version: str
    cached: bool
    preference_confidence: float
    understood: Understanding
    intelligence_metadata: IntelligenceMetadata


class SurveyMovie(FilmCard):
    """A film as a swipe card shows it."""


class SurveySession(Frozen):
    """A survey that was started."""

    user_id: str
    session_id: str
    movies: tuple[SurveyMovie, ...]


class SurveyStep(Frozen):
    """Where a survey stands. ``movie`` is the next card, ``None`` when it is completed.

    ``settled`` says why it was completed early: more cards would hardly change the top ten.
    ``total`` is how many cards are shown at most.
    """

    session_id: str
    position: int
    total: int
    completed: bool
    settled: bool = False
    movie: SurveyMovie | None


class SwipeReceipt(Frozen):
    """The durable acknowledgement of a swipe or of its undoing.

    ``swipe_count`` counts the films the user has a standing swipe on.
    """

    status: Literal["recorded", "undone"]
    preferences_updated: bool
    swipe_count: int
    item_id: str
    direction: Direction


HistorySite = Literal["letterboxd", "imdb", "trakt"]
MatchedBy = Literal["imdb_id", "tmdb_id", "title"]


class HistoryMatch(Frozen):
    """A film of another site's export that is in the catalogue, and what becomes of it here.

    ``named`` is its title there; ``score``, 0..1, is how sure the match is; ``swiped_at`` is when
    it was rated or watched, if that is known.
    """

    item_id: str
    title: str
    year: int | None
    direction: Direction
    matched_by: MatchedBy
    score: float = Field(ge=0, le=1)
    named: str
    swiped_at: datetime | None


class UnmatchedFilm(Frozen):
    """A film of another site's export that is not in the catalogue, or not surely."""

    title: str
    year: int | None
    reason: str


class HistoryReceipt(Frozen):
    """What an export holds and, once ``recorded``, what became of it.

    ``session_id`` names it, to take it back by. ``known`` counts films that were swiped here
    already, ``neutral`` those that were watched without a like or a dislike: neither is recorded.
    """

    user_id: str
    site: HistorySite
    session_id: str
    status: Literal["preview", "recorded"]
    matches: tuple[HistoryMatch, ...]
    unmatched: tuple[UnmatchedFilm, ...]
    known: int
    neutral: int
    swipe_count: int
    preferences_updated: bool


class HistoryUndone(Frozen):
    """How many swipes of an export were taken back."""

    user_id: str
    session_id: str
    undone: int
    swipe_count: int
    preferences_updated: bool


class TasteWeight(Frozen):
    """How much more (or, if negative, less) than others the user goes for something: -1..1."""

    name: str
    weight: float


class SwipedFilm(Frozen):
    """A film a belief rests on, and how it was swiped."""

    item_id: str
    title: str
    direction: Direction


BeliefKind = Literal["genre", "era", "theme"]


class Belief(Frozen):
    """Something believed of a person's taste, with the swipes behind it.

    ``weight`` is -1..1 as in ``TasteWeight``; ``sureness``, 0..1, grows with the number of
    films swiped that bear on it.
    """

    kind: BeliefKind
    name: str
    weight: float
    sureness: float
    films: tuple[SwipedFilm, ...]


class LearnedWeights(Frozen):
    """The shares of the three signals in the ranking; they sum to one."""

    vector: float
    bm25: float
    preference: float


class TransformerMetrics(Frozen):
    """The encoder that serves this user."""

    model_version: str
    vector_dim: int
    vector_strategy: str
    preference_hash: str


class Profile(Frozen):
    """What the service believes about a person, and from how much.

    ``recent_likes`` holds titles, the latest first.
    """

    user_id: str
    swipe_count: int
    like_count: int
    dislike_count: int
    skip_count: int
    preference_confidence: float
    strategy: Literal["generic", "light", "personal"]
    top_genres: tuple[TasteWeight, ...]
    avoided_genres: tuple[TasteWeight, ...]
    top_tags: tuple[TasteWeight, ...]
    favourite_years: tuple[int, int] | None
    popularity_bias: float
    learned_weights: LearnedWeights
    transformer_metrics: TransformerMetrics
    recent_likes: tuple[str, ...]
    updated_at: datetime | None
    beliefs: tuple[Belief, ...] = ()


class Explanation(Frozen):
    """Why a film is (or is not) for this person; every sentence rests on an ``evidence`` entry."""

    item_id: str
    title: str
    explanation: str
    evidence: tuple[Evidence, ...]
    model: str
    degraded: tuple[str, ...] = ()


class UserExport(Frozen):
    """Everything stored about one user."""

    user_id: str
    exported_at: datetime
    swipes: tuple[SwipeEvent, ...]
    surveys: tuple[dict[str, object], ...]
    exposures: tuple[Exposure, ...]
    conversations: tuple[dict[str, object], ...]
    preferences: dict[str, object] | None
