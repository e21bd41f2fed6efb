"""API keys: which user a key acts for. The file holds hashes; a key is shown once, when made."""

import hmac
import logging
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from fasteners import InterProcessLock
from pydantic import Field, TypeAdapter, ValidationError

from recommender.errors import InvalidRequest
from recommender.models import Frozen, Moment, UserIdentifier

PREFIX = "rw_"
KEY = re.compile(PREFIX + r"(?P<id>[0-9a-f]{16})_[A-Za-z0-9_-]{43}")

log = logging.getLogger(__name__)


class StoredKey(Frozen):
    """Whose a key is and its hash. A key holds 256 random bits, so that a plain hash is enough."""

    user: UserIdentifier
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    made_at: Moment


Keys = Mapping[str, StoredKey]
_FILE = TypeAdapter(dict[str, StoredKey])
_NOBODYS = StoredKey(user="nobody", sha256="0" * 64, made_at=datetime.now(UTC))


class ApiKeys:
    """The keys in a file, read again when it changes: what is revoked is refused at once."""

    def __init__(self, path: Path) -> None:
        """Raises InvalidRequest when there is no such file, or it holds no keys."""
        self._path = path
        self._seen = self._mark()
        if self._seen is None:
            raise InvalidRequest(
                f"API_KEYS_FILE={path} is not there. Make a key first: "
                f"API_KEYS_FILE={path} reelwise key <user>"
            )
        self._keys: Keys = _read(path)

    def user_of(self, key: str) -> str | None:
        """Whose key this is; None where it is nobody's."""
        self._refresh()
        match = KEY.fullmatch(key)
        stored = self._keys.get(match["id"], _NOBODYS) if match else _NOBODYS
        same = hmac.compare_digest(_digest(key), stored.sha256)
        return stored.user if same else None

    def _refresh(self) -> None:
        mark = self._mark()
        if mark == self._seen:
            return
        self._seen = mark
        try:
            self._keys = _read(self._path)
        except InvalidRequest as error:
            log.error("No API key is accepted: %s", error)
            self._keys = {}

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size


def make_key(path: Path, user: str) -> str:
    """A new key of ``user``, its hash added to the file. Raises InvalidRequest."""
    key_id = secrets.token_hex(8)
    key = f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"
    stored = StoredKey(user=user, sha256=_digest(key), made_at=datetime.now(UTC))
    with _edited(path) as keys:
        keys[key_id] = stored
    return key


def revoke_keys(path: Path, user: str) -> int:
    """Take all keys of ``user`` out of the file; how many there were. Raises InvalidRequest."""
    with _edited(path) as keys:
        theirs = [key_id for key_id, stored in keys.items() if stored.user == user]
        for key_id in theirs:
            del keys[key_id]
    return len(theirs)


def _digest(key: str) -> str:
    return sha256(key.encode(errors="surrogateescape")).hexdigest()


def _read(path: Path) -> dict[str, StoredKey]:
    try:
        return _FILE.validate_json(path.read_bytes())
    except ValidationError as error:
        raise InvalidRequest(
            f"{path} holds no API keys as `reelwise key` writes them. "
            "Restore it, or delete it and make the keys anew."
        ) from error
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error


@contextmanager
def _edited(path: Path) -> Iterator[dict[str, StoredKey]]:
    """The keys, to change; written whole, so that a server never reads half a file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with InterProcessLock(path.with_name(f"{path.name}.lock")):
            keys = _read(path) if path.exists() else {}
            yield keys
            fresh = path.with_name(f"{path.name}.new")
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(_FILE.dump_json(keys, indent=2) + b"\n")
            fresh.replace(path)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be written: {error.strerror}.") from error
