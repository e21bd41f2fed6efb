"""Names that clients give their chat's session, and what is left of a session that is over."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import socketio
from aiohttp import ClientSession
from socketio.exceptions import ConnectionError as Refused

from fusion.encoder import TextEncoder
from recommender import Recommender
from tests.integration.test_event_loop import visiting
from tests.load.chatters import USER_HEADER, Chatter
from tests.loop_watch import LoopWatch

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PATIENT = 60.0


@pytest.fixture
async def client(
    recommender: Recommender, encoder: TextEncoder, tmp_path: Path
) -> AsyncIterator[ClientSession]:
    async with visiting(recommender, encoder, LoopWatch(), tmp_path) as client:
        async with client.get("/", headers={USER_HEADER: "ann"}) as page:
            page.raise_for_status()
        yield client


async def opened(client: ClientSession, **auth: object) -> socketio.AsyncClient:
    """A socket as the page opens it. Raises Refused."""
    page = {"clientType": "webapp", "userEnv": "{}", "chatProfile": "", "threadId": ""}
    session = socketio.AsyncClient(http_session=client, reconnection=False)
    await session.connect(
        str(client._base_url),
        transports=["websocket"],
        socketio_path="/ws/socket.io",
        auth=page | {"sessionId": str(uuid4())} | auth,
    )
    return session


def others_folder(home: Path) -> Path:
    """What a session has nothing to do with; beside the folder of sessions' files."""
    folder = home / "chat" / "others"
    folder.mkdir()
    (folder / "file").touch()
    return folder


@pytest.mark.parametrize("name", ["../others", "", ".", "/tmp", "%2e%2e", 7, None, ["a"]])  # noqa: S108
async def test_a_session_named_by_a_path_is_refused(
    client: ClientSession, tmp_path: Path, name: object
) -> None:
    folder = others_folder(tmp_path)
    with pytest.raises(Refused):
        await opened(client, sessionId=name)
    assert (folder / "file").exists()


@pytest.mark.parametrize("name", ["../x", "a\0b", "x" * 101, {"a": 1}, None])
async def test_a_conversation_by_no_name_is_a_new_one(client: ClientSession, name: object) -> None:
    from chainlit.session import WebsocketSession

    session_id = str(uuid4())
    session = await opened(client, sessionId=session_id, threadId=name)
    assert WebsocketSession.get_by_id(session_id).thread_id not in ("", name)
    await session.disconnect()


@pytest.mark.parametrize("name", ["a-thread_that.is~gone", "5f0c2a86-3a2e-4c53-9a0f-1f6b7d1f2e11"])
async def test_a_conversation_is_asked_for_by_its_name(client: ClientSession, name: str) -> None:
    from chainlit.session import WebsocketSession

    session_id = str(uuid4())
    session = await opened(client, sessionId=session_id, threadId=name)
    assert WebsocketSession.get_by_id(session_id).thread_id == name
    await session.disconnect()


async def test_a_session_that_is_over_leaves_no_message(
    client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chainlit.chat_context import chat_contexts
    from chainlit.session import WebsocketSession
    from chainlit.user_session import user_sessions

    over, loop, delete = asyncio.Event(), asyncio.get_running_loop(), WebsocketSession.delete

    async def deleted(session: WebsocketSession) -> None:
        await delete(session)  # type: ignore[no-untyped-call]
        loop.call_soon_threadsafe(over.set)

    monkeypatch.setattr(WebsocketSession, "delete", deleted)
    chatter = Chatter(client, "ann", ["1"], [""])
    await chatter.connect(str(client._base_url))
    await chatter.say("a heist")
    name = chatter._session_id
    assert chat_contexts[name]
    await chatter._socket.call("clear_session")
    await chatter.leave()
    await asyncio.wait_for(over.wait(), PATIENT)
    assert name not in chat_contexts
    assert name not in user_sessions


async def test_a_message_does_not_send_the_whole_server_to_sleep(
    client: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asleep(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    chatter = Chatter(client, "ann", ["1"], [""])
    await chatter.connect(str(client._base_url))
    monkeypatch.setattr("time.sleep", asleep)
    await chatter.say("what do you know about me?")
    await chatter.leave()


async def test_a_button_of_a_page_that_is_not_connected_says_what_to_do(
    client: ClientSession,
) -> None:
    action = {"id": "1", "name": "swipe", "payload": {"item_id": "1", "direction": "like"}}
    body = {"sessionId": str(uuid4()), "action": action}
    async with client.post("/project/action", json=body) as answer:
        assert answer.status == 404
        assert "Load it again" in (await answer.json())["detail"]
