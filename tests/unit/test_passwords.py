"""Passwords: hashed, private, changeable, and refused with a sentence."""

import stat
from pathlib import Path

import pytest

from assistant.chat.passwords import MOST_LETTERS, Passwords
from recommender.errors import InvalidRequest


@pytest.fixture
def passwords(tmp_path: Path) -> Passwords:
    """Ann's and Bob's."""
    made = Passwords(tmp_path / "home" / "passwords.json")
    made.set("ann", "correct horse")
    made.set("bob", "battery staple")
    return made


@pytest.mark.parametrize(
    ("name", "password", "right"),
    [
        ("ann", "correct horse", True),
        ("bob", "battery staple", True),
        ("ann", "battery staple", False),
        ("ann", "Correct horse", False),
        ("ann", "", False),
        ("ann", "correct horse" * 1000, False),
        ("nobody", "nobody's", False),
        ("", "", False),
    ],
)
def test_who_is_let_in(passwords: Passwords, name: str, password: str, right: bool) -> None:
    assert passwords.verify(name, password) is right


def test_a_new_password_replaces_the_old_one_at_once(passwords: Passwords, tmp_path: Path) -> None:
    Passwords(tmp_path / "home" / "passwords.json").set("ann", "something else")
    assert passwords.verify("ann", "something else")
    assert not passwords.verify("ann", "correct horse")
    assert passwords.verify("bob", "battery staple")


@pytest.mark.usefixtures("passwords")
def test_nobody_else_reads_the_file_nor_the_passwords_in_it(tmp_path: Path) -> None:
    file = tmp_path / "home" / "passwords.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "correct horse" not in file.read_text()
    assert "$argon2id$" in file.read_text()


@pytest.mark.parametrize("password", ["", "short", "x" * (MOST_LETTERS + 1)])
def test_a_password_of_another_length_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(InvalidRequest, match="8 to 200 characters"):
        passwords.set("ann", password)
    assert passwords.verify("ann", "correct horse")


def test_a_broken_file_is_said_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    file.write_text("{")
    with pytest.raises(InvalidRequest, match="cannot be read as passwords"):
        Passwords(file)
