"""Short texts drawn from films, for a tower to learn on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusion.training.short_texts import LONGEST, ShortTexts, read_films

FULL: dict[str, Any] = {
    "title": "The Vault",
    "overview": "A crew of five plans to rob the bank that ruined them, and nothing goes well.",
    "genres": ["Crime"],
    "tags": ["heist gone wrong"],
    "cast": ["Ada Stone"],
    "director": ["Ben Low"],
}
BARE = {"title": "Untold", "overview": ""}


def drawn(*films: dict[str, Any], number: int = 400) -> list[str]:
    return ShortTexts(films).draw(number, np.random.default_rng(1))


def test_they_tell_of_all_that_is_known_of_a_film() -> None:
    said = "\n".join(drawn(FULL)).lower()
    for word in ("vault", "ruined them", "crime", "heist gone wrong", "ada stone", "ben low"):
        assert word in said


def test_they_are_short() -> None:
    assert max(len(text.split()) for text in drawn(FULL)) <= LONGEST


def test_films_of_which_only_the_title_is_known_are_asked_for_by_it() -> None:
    assert sum("untold" in text.lower() for text in drawn(BARE)) > 300


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(FULL, BARE) == drawn(FULL, BARE)


@pytest.mark.parametrize("title", ["", "M", "七人の侍", "🎬"])
def test_any_title_will_do(title: str) -> None:
    assert len(drawn({"title": title, "overview": title})) == 400


def test_catalogues_and_lists_are_read(tmp_path: Path) -> None:
    catalogue, listed = tmp_path / "films.jsonl", tmp_path / "films.json"
    catalogue.write_text(json.dumps(FULL) + "\n" + json.dumps({"title": "Bare"}) + "\n")
    listed.write_text(json.dumps([{"title": "Listed", "extract": "Summed up."}]))
    films = read_films([catalogue, listed])
    assert [film["overview"] for film in films] == [FULL["overview"], "", "Summed up."]
