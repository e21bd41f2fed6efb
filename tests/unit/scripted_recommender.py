"""A double of the service for tests of chat: a few films, scripted answers, every call noted."""

from datetime import UTC, datetime

from recommender.errors import NothingToUndo, UnknownItem
from recommender.explaining import Tell, nobody_listens
from recommender.models import (
    Direction,
    Evidence,
    Explanation,
    IntelligenceMetadata,
    Item,
    LearnedWeights,
    Profile,
    RecommendedItem,
    SearchRequest,
    SearchResult,
    SurveyMovie,
    SurveySession,
    SurveyStep,
    SwipeReceipt,
    TasteWeight,
    TransformerMetrics,
    Understanding,
)
from recommender.service import Recommender
from recommender.stores.memory import MemoryConversationStore
from recommender.stores.ports import ConversationStore

FILMS = [
    Item(item_id="6", title="Heat", year=1995, genres=("Crime", "Thriller"), director=("Mann",)),
    Item(item_id="1214", title="Alien", year=1979, genres=("Horror", "Sci-Fi")),
    Item(item_id="1200", title="Aliens", year=1986, genres=("Action", "Sci-Fi")),
    Item(item_id="300", title="Quiz Show", year=1994, genres=("Drama",)),
    Item(item_id="51662", title="300", year=2007, genres=("Action",)),
    Item(item_id="7", title="Sabrina", year=1995, genres=("Romance",)),
    Item(item_id="915", title="Sabrina", year=1954, genres=("Romance",)),
    Item(item_id="31", title="Crouching Tiger, Hidden Dragon", year=2000, genres=("Action",)),
    Item(item_id="99", title="The Good, the Bad and the Ugly", year=1966, genres=("Western",)),
]


class ScriptedRecommender(Recommender):
    """Answers from ``FILMS``; set ``understood``, ``metadata`` or ``failure`` to script it."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.understood = Understanding()
        self.metadata = IntelligenceMetadata(
            embedding_cached=False,
            preference_influence=0,
            confidence_score=0,
            transformer_latency_ms=0,
            strategy="generic",
            variant="embedding_fusion",
        )
        self.failure: Exception | None = None
        self.catalogue = FILMS
        self.found: list[Item] | None = None
        self.swipes: list[tuple[str, Direction]] = []
        self.kept = MemoryConversationStore()
        self.written: list[str] = []

    def _note(self, *call: object) -> None:
        self.calls.append(call)
        if self.failure:
            raise self.failure

    def start_survey(
        self,
        user_id: str,
        size: int | None = None,
        *,
        seed: int | None = None,
        idempotency_key: str | None = None,
    ) -> SurveySession:
        self._note("start_survey", user_id, size, seed, idempotency_key)
        movies = tuple(_card(item) for item in FILMS[: size or 20])
        return SurveySession(user_id=user_id, session_id="s1", movies=movies)

    def next_card(self, user_id: str | None, session_id: str) -> SurveyStep:
        self._note("next_card", user_id, session_id)
        return SurveyStep(
            session_id=session_id,
            position=1,
            total=20,
            completed=False,
            movie=_card(FILMS[1]),
        )

    def record_swipe(
        self,
        user_id: str,
        item_id: str,
        direction: Direction,
        *,
        session_id: str | None = None,
        swiped_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> SwipeReceipt:
        self._note(
            "record_swipe", user_id, item_id, direction, session_id, swiped_at, idempotency_key
        )
        self.swipes.append((item_id, direction))
        return self._done("recorded", item_id, direction)

    def undo_swipe(
        self, user_id: str, item_id: str | None = None, *, idempotency_key: str | None = None
    ) -> SwipeReceipt:
        self._note("undo_swipe", user_id, item_id, idempotency_key)
        if not self.swipes:
            raise NothingToUndo
        return self._done("undone", *self.swipes.pop())

    def search(self, request: SearchRequest) -> SearchResult:
        self._note("search", request)
        films = self.found
        if films is None:
            named = [film for film in FILMS if film.title in request.query]
            films = named + [film for film in FILMS if film not in named]
        return SearchResult(
            user_id=request.user_id,
            items=tuple(_recommended(film) for film in films[: request.k]),
            model_version="scripted",
            cached=False,
            preference_confidence=0,
            understood=self.understood,
            intelligence_metadata=self.metadata,
        )

    def explain(
        self, user_id: str, item_id: str, query: str = "", tell: Tell = nobody_listens
    ) -> Explanation:
        self._note("explain", user_id, item_id, query)
        for sentence in self.written:
            tell(sentence)
        return Explanation(
            item_id=item_id,
            title=self.item(item_id).title,
            explanation="It is a crime film, and you liked three of those.",
            evidence=(Evidence(kind="genre", text="genre: Crime"),),
            model="template",
        )

    def profile(self, user_id: str) -> Profile:
        self._note("profile", user_id)
        return PROFILE.model_copy(update={"user_id": user_id})

    def reactions(self, user_id: str) -> dict[str, Direction]:
        self._note("reactions", user_id)
        return dict(self.swipes)

    @property
    def conversations(self) -> ConversationStore:
        return self.kept

    def films(self) -> list[Item]:
        return sorted(self.catalogue, key=lambda film: -film.rating_count)

    def item(self, item_id: str) -> Item:
        for film in self.catalogue:
            if film.item_id == item_id:
                return film
        raise UnknownItem(item_id)

    def _done(self, status: str, item_id: str, direction: Direction) -> SwipeReceipt:
        return SwipeReceipt.model_validate(
            {
                "status": status,
                "preferences_updated": True,
                "swipe_count": len(self.swipes),
                "item_id": item_id,
                "direction": direction,
            }
        )


PROFILE = Profile(
    user_id="ann",
    swipe_count=7,
    like_count=4,
    dislike_count=2,
    skip_count=1,
    preference_confidence=0.4,
    strategy="light",
    top_genres=(TasteWeight(name="Sci-Fi", weight=0.6), TasteWeight(name="Crime", weight=0.3)),
    avoided_genres=(TasteWeight(name="Musical", weight=-0.5),),
    top_tags=(),
    favourite_years=(1979, 1995),
    popularity_bias=0.1,
    learned_weights=LearnedWeights(vector=0.5, bm25=0.3, preference=0.2),
    transformer_metrics=TransformerMetrics(
        model_version="scripted", vector_dim=8, vector_strategy="centroid", preference_hash="x"
    ),
    recent_likes=("Heat", "300"),
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def _card(item: Item) -> SurveyMovie:
    return SurveyMovie.model_validate(item.model_dump(include=set(SurveyMovie.model_fields)))


def _recommended(item: Item) -> RecommendedItem:
    facts = item.model_dump(include=set(RecommendedItem.model_fields))
    scores = {"score": 1.0, "preference_boost": 0.0, "reason": ("Crime, as you like",)}
    return RecommendedItem.model_validate(facts | scores)
