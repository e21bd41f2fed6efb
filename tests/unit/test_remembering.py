"""An encoder that knows texts again."""

from math import inf

import numpy as np
import pytest

from fusion.errors import EncoderUnavailable
from fusion.fake import HashingEncoder
from fusion.remembering import KEPT_TEXTS, RememberingEncoder
from tests.counting_encoder import CountingEncoder


def test_it_answers_as_the_encoder_does() -> None:
    remembering, asked = RememberingEncoder(HashingEncoder()), ["heist", "", "heist", "robots"]
    expected = HashingEncoder().encode(asked)
    for _ in range(2):
        np.testing.assert_array_equal(remembering.encode(asked), expected)
    assert remembering.encode([]).shape == (0, remembering.dim)


def test_a_text_that_is_known_is_not_embedded_again() -> None:
    encoder = CountingEncoder()
    remembering = RememberingEncoder(encoder)
    remembering.encode(["heist", "heist", "robots"])
    remembering.encode(["robots", "war"])
    assert encoder.texts == ["heist", "robots", "war"]


def test_what_was_asked_long_ago_is_forgotten() -> None:
    encoder = CountingEncoder()
    remembering = RememberingEncoder(encoder)
    for number in range(KEPT_TEXTS + 1):
        remembering.encode([str(number)])
    remembering.encode(["0"])
    assert encoder.texts.count("0") == 2


def test_where_that_is_wished_nothing_is_forgotten() -> None:
    encoder = CountingEncoder()
    remembering = RememberingEncoder(encoder, most=inf)
    for number in range(KEPT_TEXTS + 1):
        remembering.encode([str(number)])
    remembering.encode(["0"])
    assert encoder.texts.count("0") == 1


def test_a_failure_is_not_remembered() -> None:
    encoder = CountingEncoder(fail_after=0)
    remembering = RememberingEncoder(encoder)
    for _ in range(2):
        with pytest.raises(EncoderUnavailable):
            remembering.encode(["heist"])
    assert encoder.texts == ["heist", "heist"]


def test_a_caller_that_changes_its_vectors_changes_no_other_ones() -> None:
    remembering = RememberingEncoder(HashingEncoder())
    remembering.encode(["heist"])[:] = 0
    assert remembering.encode(["heist"]).any()
