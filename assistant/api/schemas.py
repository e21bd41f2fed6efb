"""What clients send. The answers are the domain's own models."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from assistant.api import examples
from recommender.experiments.variants import Variant
from recommender.models import (
    MAX_HISTORY,
    MAX_NAMED_FILMS,
    MAX_RESULTS,
    MAX_TASTE,
    USUAL_RESULTS,
    Direction,
    Filters,
    Frozen,
    HistorySite,
    Identifier,
    Mention,
    Moment,
    Query,
    SearchRequest,
    UserIdentifier,
)

CLOCK_SKEW = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _past(moment: datetime) -> datetime:
    """A far future swipe would outweigh all honest ones for ever."""
    if not EPOCH <= moment <= datetime.now(UTC) + CLOCK_SKEW:
        raise ValueError("should be a moment between 1970 and now")
    return moment


def _one_or_many(value: object) -> object:
    """A single id stands for a list of one, null for an empty list."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def _whole(value: object) -> object:
    """JSON knows one kind of number: 5.0 is 5."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, Field(ge=1, strict=True), BeforeValidator(_whole)]
SwipedAt = Annotated[
    Moment,
    AfterValidator(_past),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}),
]
NamedFilms = Annotated[
    tuple[Identifier, ...],
    Field(max_length=MAX_NAMED_FILMS),
    BeforeValidator(_one_or_many, json_schema_input_type=Identifier | list[Identifier] | None),
]


def _mentions(value: object) -> object:
    """A bare id is a film that is liked, null an empty list."""
    if not isinstance(value, list | tuple):
        return () if value is None else value
    return tuple({"item_id": said} if isinstance(said, str) else said for said in value)


History = Annotated[
    tuple[Mention, ...],
    Field(max_length=MAX_HISTORY),
    BeforeValidator(_mentions, json_schema_input_type=list[Identifier | Mention] | None),
]


FileContent = Annotated[str, WithJsonSchema({"type": "string", "contentEncoding": "base64"})]


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class SurveyStart(Frozen):
    """Whom to show cards and how many of them."""

    model_config = _example(examples.SURVEY_START)

    user_id: UserIdentifier
    survey_size: Count | None = Field(
        default=None,
        description="At most as many as there are films not yet swiped. 20 if not given, "
        "or what the operator set as SURVEY_SIZE.",
    )


class SwipeIn(Frozen):
    """A person's word on a film."""

    model_config = _example(examples.SWIPE)

    user_id: UserIdentifier
    item_id: Identifier
    direction: Direction = Field(description="`skip` means: haven't seen it.")
    session_id: Identifier | None = Field(default=None, description="The survey it belongs to.")
    timestamp: SwipedAt | None = Field(
        default=None, description="ISO 8601 (UTC where no offset is given) or seconds since 1970."
    )


class UndoIn(Frozen):
    """Whose latest swipe to take back: of one film, or of all."""

    model_config = _example(examples.UNDO)

    user_id: UserIdentifier
    item_id: Identifier | None = None


class SearchIn(Frozen):
    """What to look for, and for whom. An empty query means "recommend me something"."""

    model_config = _example(examples.SEARCH)

    user_id: UserIdentifier
    query: Query = ""
    k: Count = Field(default=USUAL_RESULTS, le=MAX_RESULTS, description="How many films.")
    explain: bool = Field(default=False, strict=True, description="Add the evidence per film.")
    filters: Filters | None = None
    similar_to: NamedFilms = Field(
        default=(), description="What the answer shall be like: one film id, or up to ten."
    )
    history: History = Field(
        default=(),
        description="Films that they say they like or dislike, oldest first: ids, which are likes, "
        "or objects. They count as swipes for this answer only and are not returned.",
    )
    dislikes: NamedFilms = Field(
        default=(), description="The same for films that they say they dislike: ids alone."
    )
    use_taste: bool = Field(
        default=True,
        strict=True,
        description="false: what they swiped counts for nothing this time.",
    )
    for_someone_else: bool = Field(
        default=False,
        strict=True,
        description="The film is for someone else: the person's own taste counts little. The query "
        'says so too ("for my kids", "for a friend").',
    )
    explore: float | None = Field(
        default=None,
        ge=0,
        le=1,
        strict=True,
        description="How daring: 0 for what most people who share the taste like, 1 for what few "
        "of them know. If not given: 0 for a wish, and for none 0.4, or what the operator set as "
        "EXPLORE.",
    )
    taste: float = Field(
        default=1.0,
        ge=0,
        le=MAX_TASTE,
        strict=True,
        description="How much their taste counts beside the words: 0 not at all, 1 as fitted.",
    )
    variant: Variant | None = Field(
        default=None,
        description="Which way of searching; if not given, the standard one, or the one that a "
        "running experiment gives this user.",
    )

    def request(self) -> SearchRequest:
        """The same in the domain's words."""
        return SearchRequest(
            user_id=self.user_id,
            query=self.query,
            k=self.k,
            explain=self.explain,
            filters=self.filters or Filters(),
            similar_to=self.similar_to,
            dislikes=self.dislikes,
            history=self.history,
            use_taste=self.use_taste,
            for_someone_else=self.for_someone_else,
            explore=self.explore,
            taste=self.taste,
            variant=self.variant,
        )


class HistoryIn(Frozen):
    """An export of another site, and whether to record it or only to say what it tells."""

    model_config = _example(examples.HISTORY)

    site: HistorySite | None = Field(
        default=None, description="Whose it is; null: it is recognised by what it holds."
    )
    name: Identifier = Field(description="What the file is called; .zip for an archive.")
    content: FileContent = Field(description="The file as the site exported it, in base64.")
    confirm: bool = Field(default=False, strict=True, description="false: nothing is recorded.")

    def file(self) -> bytes:
        """The file's bytes: for a thread, since validators keep the event loop busy.

        Raises RequestValidationError for what is no base64.
        """
        try:
            return b64decode(self.content, validate=True)
        except ValueError as error:
            wrong = {"type": "value_error", "loc": ("body", "content"), "msg": "is not base64"}
            raise RequestValidationError([wrong]) from error


class ExplainIn(Frozen):
    """Which film to explain to whom, and what they had asked for."""

    model_config = _example(examples.EXPLAIN)

    user_id: UserIdentifier
    item_id: Identifier
    query: Query | None = None


class Readiness(BaseModel):
    """Whether the service can serve; ``degraded`` answers come without the encoder."""

    status: str
    checks: dict[str, bool]
