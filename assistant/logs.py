"""The log: who asked is a keyed hash, and what anybody said is not in it.

Exceptions are logged by their types and the places they came from, without their messages, which
may quote a query or a row of the database; with ``LOG_LEVEL=debug`` they are logged in full.
"""

import hashlib
import logging
import secrets
import traceback
from collections.abc import Iterator
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from assistant.context import REQUEST, TRACE, USER
from assistant.settings import Settings

ROOMS = ("assistant", "tools", "recommender", "fusion", "reelwise")
FIELDS = "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s %(user)s %(trace_id)s"
NAMES = {"asctime": "time", "levelname": "level", "name": "logger", "exc_info": "error"}


def set_up_logs(settings: Settings) -> None:
    """Log to standard error as ``settings`` say; of other libraries warnings only."""
    logging.basicConfig(handlers=[log_handler(settings)])
    for room in ROOMS:
        logging.getLogger(room).setLevel(settings.log_level.upper())


def log_handler(settings: Settings, stream: TextIO | None = None) -> logging.Handler:
    """Writes records to ``stream``, or standard error, as ``settings`` say."""
    formatter = _JsonLines() if settings.log_format == "json" else _Lines()
    formatter.whole = settings.log_level == "debug"
    key = settings.log_user_key
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(_Whose(key.get_secret_value().encode() if key else secrets.token_bytes(32)))
    return handler


def without_words(error: BaseException) -> str:
    """An exception's types and places, its causes included."""
    return "\n".join(
        f"{type(link).__module__}.{type(link).__qualname__}, raised at\n"
        + "".join(traceback.format_tb(link.__traceback__))
        for link in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class _Whose(logging.Filter):
    """Says in each record whose request it belongs to."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._key = hashlib.sha256(key).digest()

    def filter(self, record: logging.LogRecord) -> bool:
        user = USER.get()
        record.request_id = REQUEST.get()
        record.user = None if user is None else self._hash(user)
        record.trace_id = TRACE.get()
        return True

    def _hash(self, user: str) -> str:
        name = user.encode(errors="surrogatepass")
        return hashlib.blake2b(name, key=self._key, digest_size=8).hexdigest()


class _Wordless(logging.Formatter):
    """Leaves out what exceptions say, unless it is to be told in ``whole``."""

    whole = False

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - as logging has it
        return super().formatException(ei) if self.whole else without_words(ei[1])


class _Lines(_Wordless):
    def format(self, record: logging.LogRecord) -> str:
        line = f"{record.levelname} {super().format(record)}"
        whose = [getattr(record, name) for name in ("request_id", "user", "trace_id")]
        first, *rest = line.split("\n")
        told = " ".join(filter(None, whose))
        return "\n".join([f"{first} [{told}]" if told else first, *rest])


class _JsonLines(_Wordless, JsonFormatter):
    def __init__(self) -> None:
        super().__init__(FIELDS, rename_fields=NAMES, datefmt="%Y-%m-%dT%H:%M:%S%z")

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in log_data.items() if value is not None}
