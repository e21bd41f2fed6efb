"""What is kept of a conversation when it is erased, or the database is away, meanwhile."""

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from recommender.errors import StoreUnavailable
from recommender.stores.memory import MemoryConversationStore
from recommender.stores.ports import ConversationStore, ThreadRecord

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
    from assistant.chat.history import ChatHistory

    sign_in("ann")
    return ChatHistory(store)


def sign_in(name: str) -> None:
    """Open a session."""
    from chainlit.context import init_http_context
    from chainlit.user import PersistedUser

    init_http_context(user=PersistedUser(id=name, createdAt="", identifier=name))


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


async def test_a_session_that_ends_as_all_is_erased_brings_nothing_back(
    history: "ChatHistory", store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history.create_step(step(1, "user_message"))
    there = store.thread(THREAD)
    store.erase("ann")
    monkeypatch.setattr(store, "thread", lambda _: there)
    await history.update_thread(THREAD, metadata={"chat_settings": {}})
    assert store.threads("ann") == []


async def test_who_names_anothers_conversation_writes_nothing_into_it(
    history: "ChatHistory", store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even while that one's own words are being kept."""
    put, begun, go = store.put, Event(), Event()

    def held(user_id: str, record: ThreadRecord, begin: bool) -> None:
        begun.set()
        assert go.wait(60)
        put(user_id, record, begin)

    monkeypatch.setattr(store, "put", held)
    anns = asyncio.create_task(history.create_step(step(1, "user_message")))
    assert await asyncio.to_thread(begun.wait, 60)
    sign_in("bob")
    bobs = asyncio.create_task(history.create_step(step(2, "user_message")))
    await asyncio.sleep(0)
    go.set()
    await asyncio.gather(anns, bobs)
    (record,) = store.records(THREAD)
    (owner,) = (name for name in ("ann", "bob") if store.threads(name))
    assert (owner, record.record_id) in {("ann", "step-1"), ("bob", "step-2")}
