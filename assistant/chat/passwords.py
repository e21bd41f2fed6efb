"""Passwords of the chat's users, hashed with Argon2, in one file."""

import json
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from fasteners import InterProcessLock

from recommender.errors import InvalidRequest

FEWEST_LETTERS, MOST_LETTERS = 8, 200


class Passwords:
    """Reads the file at every sign-in, so that a new password counts at once."""

    def __init__(self, file: Path) -> None:
        """Raises InvalidRequest when the file is there and holds no passwords."""
        self._file = file
        self._hasher = PasswordHasher()
        self._nobodys = self._hasher.hash("nobody's")
        self._hashes()

    def verify(self, name: str, password: str) -> bool:
        """Whether it is this user's. Takes as long for a user that there is not."""
        known = self._hashes().get(name)
        try:
            self._hasher.verify(known or self._nobodys, password[:MOST_LETTERS])
        except VerificationError:
            return False
        return known is not None and len(password) <= MOST_LETTERS

    def set(self, name: str, password: str) -> None:
        """Give a user a password. Raises InvalidRequest for one that is too short or too long."""
        if not FEWEST_LETTERS <= len(password) <= MOST_LETTERS:
            raise InvalidRequest(
                f"Choose a password of {FEWEST_LETTERS} to {MOST_LETTERS} characters."
            )
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with InterProcessLock(f"{self._file}.lock"):
            hashes = self._hashes() | {name: self._hasher.hash(password)}
            fresh = self._file.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(hashes, indent=1))
            fresh.replace(self._file)

    def _hashes(self) -> dict[str, str]:
        try:
            hashes: dict[str, str] = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise InvalidRequest(f"{self._file} cannot be read as passwords: {error}.") from error
        return hashes
