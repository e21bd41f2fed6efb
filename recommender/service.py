"""The product: every door (chat, REST, command line) calls exactly one of these methods."""

from datetime import datetime

from recommender.models import (
    Direction,
    Explanation,
    Item,
    Profile,
    SearchRequest,
    SearchResult,
    SurveySession,
    SurveyStep,
    SwipeReceipt,
    UserExport,
)


class Recommender:
    """A person's movie companion over one catalogue. Thread-safe; all methods block on I/O."""

    def start_survey(
        self,
        user_id: str,
        size: int = 20,
        *,
        seed: int | None = None,
        idempotency_key: str | None = None,
    ) -> SurveySession:
        """Curate ``size`` cards the user has not swiped yet.

        Raises InvalidRequest when ``size`` is outside 1..catalogue size.
        """
        raise NotImplementedError

    def next_card(self, user_id: str | None, session_id: str) -> SurveyStep:
        """Say which card comes next. ``user_id=None``: whoever started the survey.

        Raises UnknownSession, also when the survey is another user's.
        """
        raise NotImplementedError

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
        """Record a swipe durably, then update the preferences as the policy says.

        Raises UnknownItem, IdempotencyKeyReused, StoreUnavailable (then nothing was recorded).
        """
        raise NotImplementedError

    def undo_swipe(
        self, user_id: str, item_id: str | None = None, *, idempotency_key: str | None = None
    ) -> SwipeReceipt:
        """Take back the latest standing swipe (of ``item_id``, or of all). Raises NothingToUndo."""
        raise NotImplementedError

    def search(self, request: SearchRequest) -> SearchResult:
        """Rank the catalogue for this person and these words."""
        raise NotImplementedError

    def explain(self, user_id: str, item_id: str, query: str = "") -> Explanation:
        """Say why a film suits this person and query, from evidence only. Raises UnknownItem."""
        raise NotImplementedError

    def profile(self, user_id: str) -> Profile:
        """Say what is believed about a user; a new user gets an empty profile."""
        raise NotImplementedError

    def item(self, item_id: str) -> Item:
        """Raises UnknownItem."""
        raise NotImplementedError

    def export_user(self, user_id: str) -> UserExport:
        """Hand out everything stored about a user."""
        raise NotImplementedError

    def forget_user(self, user_id: str) -> None:
        """Erase everything stored about a user."""
        raise NotImplementedError
