"""TMDB's API, asked no faster than it likes; every answer is kept, so that a run can go on."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import httpx
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from recommender.errors import InvalidRequest
from recommender.importing.source import MAX_LINE

URL = "https://api.themoviedb.org/3"
PER_SECOND = 30.0
"""TMDB asks for no more than about 40 requests a second."""
ATTEMPTS = 6
LONGEST_WAIT = 60.0
KEPT_SECONDS = 30 * 24 * 3600
V3_KEY = 32
"""Characters of a key of version 3; anything else is a read access token."""


class _Busy(Exception):
    """Not now: it may be asked again, after ``seconds`` if it said so."""

    def __init__(self, reason: str, seconds: float | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds


class TmdbApi:
    """A client with a pace, retries and a cache in a folder. Not thread-safe."""

    def __init__(
        self,
        key: SecretStr,
        cache: Path,
        url: str = URL,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        secret = key.get_secret_value()
        v3 = len(secret) == V3_KEY
        self._http = httpx.Client(
            base_url=url,
            timeout=20.0,
            params={"api_key": secret} if v3 else {},
            headers={} if v3 else {"Authorization": f"Bearer {secret}"},
        )
        self._cache = cache
        self._sleep = sleep
        self._clock = clock
        self._next = 0.0
        cache.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "TmdbApi":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def most_voted(self, count: int) -> Iterator[int]:
        """The ids of the ``count`` films with most votes. Raises InvalidRequest."""
        page, given = 1, 0
        while given < count:
            asked = {"sort_by": "vote_count.desc", "include_adult": "false", "page": str(page)}
            answer = self._get("/discover/movie", asked) or {}
            results = answer.get("results")
            if not isinstance(results, list) or not results:
                return
            for film in results[: count - given]:
                given += 1
                yield int(film["id"])
            page += 1

    def details(self, tmdb_ids: Iterable[int]) -> Iterator[dict[str, object] | None]:
        """Each film with its keywords and credits; None for one that is gone."""
        for tmdb_id in tmdb_ids:
            yield self._get(f"/movie/{tmdb_id}", {"append_to_response": "keywords,credits"})

    def _get(self, path: str, params: Mapping[str, str]) -> dict[str, object] | None:
        asked = json.dumps([path, dict(params)])
        kept = self._cache / f"{hashlib.sha256(asked.encode()).hexdigest()[:32]}.json"
        answer = self._remembered(kept)
        if answer is None:
            answer = self._asked(path, params)
            new = kept.with_suffix(".part")
            new.write_text(json.dumps(answer), encoding="utf-8")
            new.replace(kept)
        return answer or None

    def _remembered(self, kept: Path) -> dict[str, object] | None:
        """What was answered within the last 30 days; an empty object for nothing."""
        try:
            if self._clock() - kept.stat().st_mtime > KEPT_SECONDS:
                return None
            answer: object = json.loads(kept.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return answer if isinstance(answer, dict) else None

    def _asked(self, path: str, params: Mapping[str, str]) -> dict[str, object]:
        retrying = Retrying(
            retry=retry_if_exception_type(_Busy),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_waiting,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            answer: dict[str, object] = retrying(self._once, path, params)
        except _Busy as error:
            raise InvalidRequest(
                f"TMDB did not answer {path}: {error}. Run the command again later: what it gave "
                "so far is kept."
            ) from error
        return answer

    def _once(self, path: str, params: Mapping[str, str]) -> dict[str, object]:
        """Ask once. Raises _Busy, or InvalidRequest when asking again is no use."""
        self._pace()
        try:
            response = self._http.get(path, params=params)
        except httpx.TransportError as error:
            raise _Busy(type(error).__name__) from error
        if response.status_code == 429 or response.status_code >= 500:
            raise _Busy(f"status {response.status_code}", _retry_after(response))
        if response.status_code in (401, 403):
            raise InvalidRequest("TMDB refuses this key. Set TMDB_API_KEY to one that is valid.")
        if response.status_code == 404:
            return {}
        if response.status_code != 200 or len(response.content) > MAX_LINE:
            raise InvalidRequest(f"TMDB answered {path} with status {response.status_code}.")
        try:
            answer: object = response.json()
        except ValueError as error:
            raise _Busy("an answer that is no JSON") from error
        if not isinstance(answer, dict):
            raise InvalidRequest(f"TMDB answered {path} with what is no JSON object.")
        return answer

    def _pace(self) -> None:
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + 1 / PER_SECOND


def fetch(
    api: TmdbApi, tmdb_ids: Iterable[int], target: Path, progress: Callable[[], object]
) -> int:
    """Write the details of films to a file, one a line; returns how many are gone from TMDB."""
    gone = 0
    new = target.with_suffix(".part")
    with new.open("w", encoding="utf-8") as out:
        for film in api.details(tmdb_ids):
            if film is None:
                gone += 1
            else:
                out.write(json.dumps(film) + "\n")
            progress()
    new.replace(target)
    return gone


def _waiting(state: RetryCallState) -> float:
    """As long as TMDB says, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _Busy) and error.seconds is not None:
        return min(error.seconds, LONGEST_WAIT)
    return wait_exponential_jitter(multiplier=0.5, max=LONGEST_WAIT)(state)


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
