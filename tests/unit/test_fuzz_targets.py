"""What is fuzzed takes what fuzzing begins with, and what it found."""

import pytest

from tests.fuzzing.seeds import seeds
from tests.fuzzing.targets import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_is_taken_or_refused_with_a_sentence(target: str) -> None:
    inputs = list(seeds(target))
    assert inputs
    for data in inputs:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_so_are_halves_of_them(target: str) -> None:
    for data in seeds(target):
        TARGETS[target](data[: len(data) // 2])
