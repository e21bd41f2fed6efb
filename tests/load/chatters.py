"""People who chat: each holds a websocket, as the chat's page does."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import socketio
from aiohttp import ClientSession, ClientTimeout, CookieJar, TCPConnector

from tests.load.people import DIRECTIONS, Action, answer
from tests.load.samples import Failed

USER_HEADER = "X-Load-User"
"""Not the usual one, which a balancer takes out of what clients send."""
TURNS = {
    "{wish}": 5,
    "older": 1,
    "less sad": 1,
    "why the second one?": 1,
    "what do you know about me?": 1,
    "let's swipe": 1,
}
"""What they say, and how often each."""
SWIPES_A_TURN = 2
"""Cards that are swiped for each message: what a deck is for."""
APOLOGIES = ("Something went wrong", "The database does not answer")
TURN_SECONDS = 30


def client(url: str, connector: TCPConnector) -> ClientSession:
    """A browser with cookies of its own, on connections that all share."""
    return ClientSession(
        url,
        connector=connector,
        connector_owner=False,
        cookie_jar=CookieJar(unsafe=True),  # also from a host without a name
        timeout=ClientTimeout(total=30),
    )


class Chatter:
    """Somebody in a conversation."""

    def __init__(
        self, http: ClientSession, name: str, films: Sequence[str], wishes: Sequence[str]
    ) -> None:
        self._http = http
        self.name = name
        self._films, self._wishes = films, wishes
        self._rng = random.Random(name)
        self._session_id = str(uuid4())
        self._ended = asyncio.Event()
        self._said: list[str] = []
        self._socket = socketio.AsyncClient(http_session=http, reconnection=False)
        self._socket.on("task_end", self._end)
        self._socket.on("new_message", self._hear)

    async def connect(self, url: str) -> None:
        """Open the page and its socket, and wait for the greeting."""
        async with self._http.get("/", headers={USER_HEADER: self.name}) as page:
            page.raise_for_status()
        auth = {
            "sessionId": self._session_id,
            "clientType": "webapp",
            "userEnv": "{}",
            "chatProfile": "",
            "threadId": "",
        }
        await self._socket.connect(
            url,
            transports=["websocket"],
            socketio_path="/ws/socket.io",
            auth=auth,
        )
        await self._until_ended("connection_successful")

    async def leave(self) -> None:
        """Close the page."""
        await self._socket.disconnect()

    def next_action(self) -> Action:
        """A message, or a card swiped."""
        if self._rng.randrange(1 + SWIPES_A_TURN):
            return "chat swipe", self.swipe
        (words,) = self._rng.choices(list(TURNS), list(TURNS.values()))
        words = words.format(wish=self._rng.choice(self._wishes) or "anything")
        return "chat turn", lambda: self.say(words)

    async def say(self, words: str) -> None:
        """Say it and wait until the answer is whole.

        Raises Failed for an apology, TimeoutError for silence.
        """
        message = {
            "id": str(uuid4()),
            "threadId": "",
            "name": self.name,
            "type": "user_message",
            "output": words,
            "createdAt": datetime.now(UTC).isoformat(),
        }
        await self._until_ended("client_message", {"message": message, "fileReferences": []})
        if self._said[-1].startswith(APOLOGIES):
            raise Failed(self._said[-1])

    async def swipe(self) -> None:
        """Swipe a card, as the page's buttons do."""
        (direction,) = self._rng.choices(list(DIRECTIONS), list(DIRECTIONS.values()))
        payload = {"item_id": self._rng.choice(self._films), "direction": direction}
        action = {"id": str(uuid4()), "name": "swipe", "payload": payload}
        body = {"sessionId": self._session_id, "action": action}
        async with self._http.post("/project/action", json=body) as response:
            said = (await answer(response))["response"]
        if not said["ok"]:
            raise Failed(said["message"])

    async def _until_ended(self, event: str, *data: object) -> None:
        self._ended.clear()
        self._said.clear()
        await self._socket.emit(event, *data)
        async with asyncio.timeout(TURN_SECONDS):
            await self._ended.wait()

    async def _end(self, _data: object) -> None:
        if self._said:  # else it is the turn before that ends: Chainlit says so twice
            self._ended.set()

    async def _hear(self, step: dict[str, str]) -> None:
        if step["type"] == "assistant_message":
            self._said.append(step["output"])
