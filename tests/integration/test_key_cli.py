"""``reelwise key``: makes, prints once and revokes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from assistant.api.keys import KEY, ApiKeys
from assistant.cli import app


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REELWISE_HOME", str(tmp_path / "home"))


def reelwise(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def made(user: str) -> str:
    done = reelwise("key", user)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_a_key_is_printed_alone_and_acts_for_its_user(tmp_path: Path) -> None:
    key = made("ada")
    assert KEY.fullmatch(key)
    assert ApiKeys(tmp_path / "home" / "api-keys.json").user_of(key) == "ada"
    assert made("ada") != key


def test_the_setting_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "elsewhere" / "keys.json"
    monkeypatch.setenv("API_KEYS_FILE", str(file))
    key = made("ada")
    assert ApiKeys(file).user_of(key) == "ada"
    assert key not in file.read_text()
    assert not (tmp_path / "home").exists()


def test_all_keys_of_one_user_are_revoked_and_no_others(tmp_path: Path) -> None:
    first, second, other = made("ada"), made("ada"), made("bo")
    assert reelwise("key", "ada", "--revoke").stdout == "Revoked: 2 of ada.\n"
    keys = ApiKeys(tmp_path / "home" / "api-keys.json")
    assert [keys.user_of(key) for key in (first, second, other)] == [None, None, "bo"]


@pytest.mark.parametrize("user", ["", "a/b", "*", "x" * 129])
def test_a_user_who_cannot_be_gets_no_key(user: str) -> None:
    done = reelwise("key", user)
    assert done.exit_code == 2
    assert "cannot be a user id" in done.stderr


def test_a_file_that_is_something_else_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("my notes")
    monkeypatch.setenv("API_KEYS_FILE", str(file))
    done = reelwise("key", "ada")
    assert done.exit_code == 2
    assert "holds no API keys" in done.stderr
    assert file.read_text() == "my notes"


def test_a_folder_that_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("API_KEYS_FILE", str(tmp_path / "file" / "keys.json"))
    done = reelwise("key", "ada")
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
