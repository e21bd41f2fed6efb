"""How daring a search a message asks for."""

import pytest

from assistant.planner.daring import asked_to_explore


@pytest.mark.parametrize(
    "said",
    [
        "surprise me",
        "Surprise us with a thriller!",
        "something unexpected",
        "something totally unexpected, please",
        "something less obvious",
        "less obvious ones",
        "nothing too obvious",
        "not so mainstream",
        "lesser-known horror films",
        "hidden gems from the 90s",
        "an underrated western",
        "obscure films about trains",
        "something out of the ordinary",
        "films I have never heard of",
        "no crowd pleasers",
        "not a safe choice",
        "obscure comedies",
        "little-known films",
        "too famous",
    ],
)
def test_daring(said: str) -> None:
    assert asked_to_explore(said) == 0.9


@pytest.mark.parametrize(
    "said",
    [
        "a safe choice",
        "a safe bet for tonight",
        "a crowd pleaser",
        "crowd-pleasing comedies",
        "play it safe",
        "something everyone will like",
        "we can't go wrong with",
        "don't surprise me",
        "nothing too obscure",
        "a tried and tested classic",
    ],
)
def test_safe(said: str) -> None:
    assert asked_to_explore(said) == 0


@pytest.mark.parametrize(
    "said",
    [
        "",
        "something funny",
        "a film about an unknown soldier",
        "a bank safe is cracked",
        "a surprise party goes wrong",
        "a film about a popular girl",
        "an unexpected friendship",
        "The Unusual Suspects",
        "a crowd in a stadium",
    ],
)
def test_neither(said: str) -> None:
    assert asked_to_explore(said) is None
