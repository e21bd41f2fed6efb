"""The log of the whole server: whose request it was is there, what they said is not."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.agent import agent_by_name
from assistant.context import serving
from assistant.logs import log_handler
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.errors import StoreUnavailable
from recommender.models import Item, SearchRequest
from tests.counting import Gains
from tests.integration.api_client import ApiClient, api
from tests.integration.chat_door import ChatDoor

# Importing Chainlit imports libraries that use what Pydantic has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WORDS = ("xylophonic", "wombat", "Quetzalcoatl")
SAID = f"a film about a {' '.join(WORDS)}"


class Log:
    """What is logged at info and above, by every library, as this program writes it."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401
        self._stream = io.StringIO()
        self.handler = log_handler(Settings.model_validate(settings), self._stream)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def found(self, message: str) -> dict[str, Any]:
        """The one line that begins so."""
        (line,) = (each for each in self.lines() if each["message"].startswith(message))
        return line


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log(log_format="json", log_user_key="of this test")
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    log.handler.addFilter(lambda record: record.name != "httpx2")  # the client of these tests
    root.addHandler(log.handler)
    yield log
    root.removeHandler(log.handler)
    root.setLevel(before)


@pytest.fixture
def client(recommender: Recommender) -> ApiClient:
    return ApiClient(api(recommender), raise_server_exceptions=False)


@pytest.fixture
async def chat(
    tmp_path: Path,
    recommender: Recommender,
    encoder: TextEncoder,
    starter_items: list[Item],
    user_id: str,
) -> ChatDoor:
    agent = agent_by_name(None, encoder, starter_items)
    return ChatDoor(tmp_path, recommender, agent, f"{user_id}-{WORDS[0]}")


def quotes(log: Log) -> list[str]:
    """Which words of people's are in the log."""
    return [word for word in (*WORDS, *map(str.lower, WORDS)) if word in log.text]


def broken(*_: object, **__: object) -> None:
    """What nobody foresaw, quoting what it was asked."""
    raise KeyError(SAID)


def failing(words: str) -> Any:  # noqa: ANN401
    """What breaks, quoting what it was asked, as drivers of databases do."""

    def fail(*_: object, **__: object) -> None:
        try:
            raise ValueError(f"no such row: {words}")
        except ValueError as error:
            raise StoreUnavailable(words) from error

    return fail


def test_rest_is_logged_without_words(client: ApiClient, user_id: str, log: Log) -> None:
    user = f"{user_id}-{WORDS[1]}"
    client.ok("POST", "/search", {"user_id": user, "query": SAID, "k": 3}, x_request_id="req-1")
    client.ok("POST", "/explain", {"user_id": user, "item_id": "6", "query": SAID})
    client.post("/search", json={"user_id": user, "query": "x", SAID: SAID})
    client.post("/search", json={"user_id": user, "query": "x", "similar_to": SAID})
    client.post_text("/search", f'{{"{SAID}')
    client.get(f"/user/{user}/profile?why={WORDS[2]}")
    client.get(f"/{WORDS[0]}")
    client.get(f"/items/{WORDS[0]}")
    assert quotes(log) == []
    line = log.found("POST /search 200")
    assert line["request_id"] == "req-1"
    assert line["level"] == "INFO"
    assert (line["route"], line["status"]) == ("/search", 200)
    assert line["user"]
    assert user not in log.text
    statuses = [line["status"] for line in log.lines() if line.get("route") == "/search"]
    assert statuses == [200, 422, 404, 400]


def test_failures_are_logged_without_words(
    client: ApiClient,
    recommender: Recommender,
    user_id: str,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recommender._cache._searches, "get", failing(SAID))
    answer = client.ok("POST", "/search", {"user_id": user_id, "query": SAID})
    assert "search_cache" in answer["intelligence_metadata"]["degraded"]
    assert log.found("done without search_cache")["level"] == "WARNING"
    monkeypatch.setattr(recommender._experiment, "search", broken)
    assert client.post("/search", json={"user_id": user_id, "query": SAID}).status_code == 500
    assert quotes(log) == []
    failures = [line for line in log.lines() if line["level"] in ("WARNING", "ERROR")]
    assert "ValueError" in failures[0]["error"]
    assert "StoreUnavailable" in failures[0]["error"]
    assert "KeyError" in failures[1]["message"]
    for line in failures:
        assert line["request_id"]
        assert line["user"] == failures[0]["user"]


async def test_the_chat_is_logged_without_words(
    chat: ChatDoor, recommender: Recommender, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    gains = Gains()
    assert await chat.say(SAID)
    await chat.say(f"I loved {WORDS[2]} the Movie")
    await chat.say(f"why {WORDS[2]}?")
    monkeypatch.setattr(recommender, "search", failing(SAID))
    await chat.say(SAID)
    monkeypatch.setattr(recommender, "search", broken)
    await chat.say(SAID)
    assert quotes(log) == []
    turns = [line for line in log.lines() if line["message"].startswith("chat turn")]
    assert [turn["outcome"] for turn in turns] == [*["answered"] * 3, "refused", "failed"]
    assert {turn["model"] for turn in turns} == {"planner"}
    assert len({turn["request_id"] for turn in turns}) == 5
    assert len({turn["user"] for turn in turns}) == 1
    failed = log.found("The tool search_movies failed.")
    assert "KeyError" in failed["error"]
    assert failed["request_id"] == turns[4]["request_id"], "the tool ran in another thread"
    assert gains("reelwise_chat_turn_seconds_count", model="planner", outcome="answered") == 3


async def test_a_turn_that_breaks_off_is_counted_as_such(
    chat: ChatDoor, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.chat.handlers.elements.movie_cards", broken)
    gains = Gains()
    assert "went wrong" in await chat.say("something for tonight")
    assert gains("reelwise_chat_turn_seconds_count", outcome="failed") == 1
    assert log.found("chat turn failed by planner")["request_id"]
    assert "KeyError" in log.found("A chat turn failed")["error"]
    assert quotes(log) == []


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_debugging_shows_what_exceptions_say(log_format: str) -> None:
    logger = logging.Logger("assistant.test")
    told = {}
    for level in ("debug", "info"):
        log = Log(log_format=log_format, log_level=level)
        logger.handlers = [log.handler]
        try:
            raise ValueError(SAID)
        except ValueError:
            logger.exception("It failed")
        told[level] = SAID in log.text
        assert "ValueError" in log.text
    assert told == {"debug": True, "info": False}


def test_a_line_of_text_names_request_and_user(recommender: Recommender, user_id: str) -> None:
    log, logger = Log(log_user_key="k"), logging.getLogger("assistant.api.metrics")
    logger.addHandler(log.handler)
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        body = {"user_id": user_id, "query": "x"}
        ApiClient(api(recommender)).ok("POST", "/search", body, x_request_id="req-2")
    finally:
        logger.removeHandler(log.handler)
        logger.setLevel(before)
    start, whose = log.text.split("[")
    assert start.startswith("INFO POST /search 200 in ")
    request_id, user = whose.rstrip("]\n").split()
    assert request_id == "req-2"
    assert len(user) == 16


def test_users_are_hashed_with_the_key_that_is_set() -> None:
    def hashed(key: str | None) -> str:
        log = Log(log_format="json", log_user_key=key)
        logger = logging.Logger("assistant.test")
        logger.addHandler(log.handler)
        with serving("r", "ada"):
            logger.info("x")
        return str(log.lines()[0]["user"])

    assert hashed("a") == hashed("a") != hashed("b")
    assert hashed(None) != hashed(None), "without a key, each process has its own"


def test_nobody_is_named_outside_a_request(recommender: Recommender) -> None:
    recommender.search(SearchRequest(user_id="x", query="y"))
    log = Log(log_format="json")
    logger = logging.Logger("assistant.test")
    logger.addHandler(log.handler)
    logger.info("started")
    assert log.lines()[0].keys() == {"time", "level", "logger", "message"}
