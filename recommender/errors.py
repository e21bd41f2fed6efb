"""What can go wrong in the domain; every message says how to mend it.

ReelwiseError
├── NotFound
│   ├── UnknownItem
│   ├── UnknownUser
│   ├── UnknownSession
│   ├── UnknownExperiment
│   └── NothingToUndo
├── InvalidRequest
├── IdempotencyKeyReused
└── StoreUnavailable
"""

from collections.abc import Sequence


class ReelwiseError(Exception):
    """Root of the domain's errors."""


class NotFound(ReelwiseError):
    """Something that was named does not exist."""


class UnknownItem(NotFound):
    """No film in the catalogue has this id."""

    def __init__(self, item_id: str) -> None:
        super().__init__(
            f"No film has the id {item_id!r}. Take ids from /search or /survey/start answers."
        )
        self.item_id = item_id


class UnknownUser(NotFound):
    """Nothing is stored about this user."""

    def __init__(self, user_id: str) -> None:
        super().__init__(f"Nothing is known of user {user_id!r} yet. Record a swipe first.")
        self.user_id = user_id


class UnknownSession(NotFound):
    """No survey of this user has this session id."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"No survey has the id {session_id!r}. Start one with /survey/start.")
        self.session_id = session_id


class UnknownExperiment(NotFound):
    """No experiment of this name showed anybody anything."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        there_are = f"There are: {', '.join(known)}." if known else "None has run yet."
        super().__init__(f"No experiment {name!r} showed anything. {there_are}")


class NothingToUndo(NotFound):
    """The user has no swipe that could be taken back."""

    def __init__(self) -> None:
        super().__init__("There is no swipe to take back. Swipe a card first.")


class InvalidRequest(ReelwiseError):
    """A value is outside what the service accepts; the message says what it takes."""


class IdempotencyKeyReused(ReelwiseError):
    """The same Idempotency-Key arrived with another content."""

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another request. Send a new key for a new action."
        )


class StoreUnavailable(ReelwiseError):
    """The store of record does not answer; nothing was acknowledged.

    ``detail`` is for who runs the service; the message is for who uses it.
    """

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        super().__init__(
            "The database does not answer. Nothing was acknowledged; try again shortly: a write "
            "with the same Idempotency-Key is recorded once however often it is sent."
        )
