"""What is kept of a conversation when it is erased, or the database is away, meanwhile."""

from typing import TYPE_CHECKING, Any

import pytest

from recommender.errors import StoreUnavailable
from recommender.stores.memory import MemoryConversationStore
from recommender.stores.ports import ConversationStore

if TYPE_CHECKING:
    from chainlit.step import StepDict

    from assistant.chat.history import ChatHistory

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
THREAD = "thread"


@pytest.fixture
def store() -> ConversationStore:
    return MemoryConversationStore()


@pytest.fixture
async def history(store: ConversationStore) -> "ChatHistory":
    """That of a session of Ann's."""
    from chainlit.context import init_http_context
    from chainlit.user import PersistedUser

    from assistant.chat.history import ChatHistory

    init_http_context(user=PersistedUser(id="ann", createdAt="", identifier="ann"))
    return ChatHistory(store)


def step(number: int, kind: str = "assistant_message") -> "StepDict":
    return {"id": f"step-{number}", "threadId": THREAD, "type": kind, "output": str(number)}  # type: ignore[typeddict-item]


def ids(store: ConversationStore) -> list[str]:
    return [record.record_id for record in store.records(THREAD)]


async def test_an_answer_under_way_brings_no_erased_conversation_back(
    history: "ChatHistory", store: ConversationStore
) -> None:
    await history.create_step(step(1, "user_message"))
    await history.create_step(step(2))
    assert ids(store) == ["step-1", "step-2"]
    store.erase("ann")
    await history.update_step(step(2))
    await history.create_step(step(3))
    await history.remember(THREAD, {"shown": []})
    assert store.threads("ann") == []
    await history.create_step(step(4, "user_message"))
    await history.create_step(step(5))
    assert ids(store) == ["step-4", "step-5"], "who speaks again begins anew"


async def test_whatever_a_session_keeps_first_begins_its_conversation(
    history: "ChatHistory", store: ConversationStore
) -> None:
    """Someone may press a card's button before they say a word."""
    await history.create_step(step(1))
    await history.create_step(step(2))
    assert ids(store) == ["step-1", "step-2"]


@pytest.fixture
def away(store: ConversationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database does not answer."""

    def fail(*_: Any, **__: Any) -> None:  # noqa: ANN401
        raise StoreUnavailable

    monkeypatch.setattr(store, "thread", fail)
    monkeypatch.setattr(store, "name", fail)


@pytest.mark.usefixtures("away")
async def test_a_session_ends_while_the_database_is_away(history: "ChatHistory") -> None:
    await history.update_thread(THREAD, metadata={"chat_settings": {}})
    with pytest.raises(StoreUnavailable):
        await history.update_thread(THREAD, name="Heists", user_id="ann")
