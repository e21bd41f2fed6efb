"""The canary: walks survey → swipe → search → explain as a person would, and erases its traces.

CloudWatch Synthetics calls ``handler``; ``python canary.py http://localhost:8000`` walks through a
server at hand. Needs nothing but Python; on AWS also boto3, which is there.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
SECONDS = 20
"""For one request: a cold start of the function is not a failure."""
LIKES, DISLIKES = 4, 2
QUERY = "a heist with a twist"


class Failure(Exception):
    """A step of the walk did not go as it must."""


class Api:
    """The REST API as one user."""

    def __init__(self, url: str, user_id: str, token: str | None = None) -> None:
        self.user_id = user_id
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, **body: object) -> Any:  # noqa: ANN401 - what JSON holds
        """The answer to a request of this user's."""
        content = json.dumps({"user_id": self.user_id, **body}).encode()
        once = {"Idempotency-Key": str(uuid.uuid4())} if path == "/swipe" else {}
        return self.send("POST", path, content, once)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401
        """What the server answers. Raises Failure for anything but a success."""
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's
            f"{self._url}{path}", body, self._headers | dict(headers or {}), method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise Failure(f"{method} {path} was answered {error.code}: {_said(error)}") from error
        except OSError as error:
            raise Failure(f"{method} {path} was not answered: {error}") from error
        return json.loads(content) if content else None


def walk(api: Api, say: Callable[[str, float], None]) -> None:
    """Go all the way, telling ``say`` each step and the seconds it took.

    Raises Failure at the step that goes wrong; the user's data is erased all the same.
    """
    try:
        movies = _timed("survey", say, lambda: _survey(api))
        _timed("swipe", say, lambda: _swipe(api, movies))
        found = _timed("search", say, lambda: _search(api, movies))
        _timed("explain", say, lambda: _explain(api, found))
    except Failure:
        with suppress(Failure):
            _forget(api)
        raise
    _timed("forget", say, lambda: _forget(api))


def _survey(api: Api) -> list[str]:
    films = api.post("/survey/start", survey_size=12)["movies"]
    _must(len(films) >= LIKES + DISLIKES, f"the survey has {len(films)} films")
    return [film["item_id"] for film in films]


def _swipe(api: Api, films: list[str]) -> None:
    for number, film in enumerate(films[: LIKES + DISLIKES], 1):
        direction = "like" if number <= LIKES else "dislike"
        answer = api.post("/swipe", item_id=film, direction=direction, session_id=None)
        _must(answer["status"] == "recorded", f"a swipe is {answer['status']}")
        _must(answer["swipe_count"] == number, f"{answer['swipe_count']} swipes after {number}")


def _search(api: Api, swiped: list[str]) -> str:
    answer = api.post("/search", query=QUERY, k=10)
    found = [item["item_id"] for item in answer["items"]]
    _must(len(found) == 10, f"the search found {len(found)} of 10 films")
    again = set(found) & set(swiped[: LIKES + DISLIKES])
    _must(not again, f"films come back that were swiped: {sorted(again)}")
    degraded = answer["intelligence_metadata"]["degraded"]
    _must(not degraded, f"the search did without {', '.join(degraded)}")
    return str(found[0])


def _explain(api: Api, film: str) -> None:
    answer = api.post("/explain", item_id=film, query=QUERY)
    _must(bool(answer["explanation"].strip()), "the explanation is empty")


def _forget(api: Api) -> None:
    api.send("DELETE", f"/user/{urllib.parse.quote(api.user_id, safe='')}")


def _timed(step: str, say: Callable[[str, float], None], work: Callable[[], T]) -> T:
    started = time.monotonic()
    result = work()
    say(step, time.monotonic() - started)
    return result


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failure(otherwise)


def _said(error: urllib.error.HTTPError) -> str:
    return error.read(500).decode(errors="replace")


def _print(step: str, seconds: float) -> None:
    print(json.dumps({"step": step, "milliseconds": round(seconds * 1000)}), flush=True)


def handler(_event: object, _context: object) -> str:
    """Walk as the canary's client of the user pool; Synthetics calls this."""
    import boto3

    secret = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["CLIENT_SECRET"])
    client = json.loads(secret["SecretString"])
    token = sign_in(os.environ["SIGN_IN_URL"], client["client_id"], client["client_secret"])
    walk(Api(os.environ["API_URL"], client["client_id"], token), _print)
    Api(os.environ["CHAT_URL"], "nobody").send("GET", "/readyz")
    return "walked"


def sign_in(url: str, client_id: str, client_secret: str) -> str:
    """A token of the user pool for the canary itself (client credentials)."""
    basic = b64encode(f"{client_id}:{client_secret}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 - the address is the user pool's
        f"{url}/oauth2/token",
        urllib.parse.urlencode({"grant_type": "client_credentials"}).encode(),
        {"Authorization": f"Basic {basic}"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
        return str(json.load(answer)["access_token"])


def main(url: str = "http://localhost:8000") -> int:
    """Walk through the server at the address given: 0 when all went well, 1 with the reason."""
    try:
        walk(Api(url, f"canary-{uuid.uuid4()}"), _print)
    except Failure as failure:
        print(f"canary: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
