"""The wire format: exact vectors, requests that fit, errors that quote nothing."""

import base64
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import BaseModel, ValidationError

from fusion.encoder import Vectors
from fusion.fusion_encoder import Fused, FusionInput, SwipedFilm
from fusion.wire import MAX_SWIPES, REQUEST, WireFused, WireInput, WireInstances, WireSwipe

MEGABYTE = 2**20
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
VECTORS = arrays.arrays(np.float32, st.integers(1, 8), elements=NUMBERS)
WORDS = st.text(max_size=20)
FILMS = st.builds(SwipedFilm, WORDS, WORDS, VECTORS, st.booleans(), NUMBERS)
SWIPES = st.lists(FILMS, max_size=3).map(tuple)
INPUTS = st.builds(FusionInput, WORDS, SWIPES, st.booleans(), NUMBERS)


def film(vector: Vectors, text: str = "Heat (1995)") -> SwipedFilm:
    return SwipedFilm("1", text, vector, liked=True)


@given(sent=INPUTS)
def test_what_is_asked_arrives_as_it_was(sent: FusionInput) -> None:
    read = REQUEST.validate_json(WireInput.of(sent).model_dump_json())
    assert isinstance(read, WireInput)
    arrived = read.asked()
    assert replace(arrived, swipes=()) == replace(sent, swipes=())
    none = np.empty(0, np.float32)
    for left, right in zip(arrived.swipes, sent.swipes, strict=True):
        np.testing.assert_array_equal(left.vector, right.vector)
        assert left.vector.dtype == np.float32
        assert repr(replace(left, vector=none)) == repr(replace(right, vector=none))


@pytest.mark.parametrize(
    ("wire", "port"), [(WireInput, FusionInput), (WireSwipe, SwipedFilm), (WireFused, Fused)]
)
def test_every_field_of_the_port_travels(wire: type[BaseModel], port: type[Any]) -> None:
    assert set(wire.model_fields) - {"model_version"} == {field.name for field in fields(port)}


@given(vector=VECTORS, influence=st.floats(0, 1), confidence=st.floats(0, 1))
def test_an_answer_arrives_as_it_was(vector: Vectors, influence: float, confidence: float) -> None:
    sent = WireFused.of(Fused(vector, vector, influence, confidence), "model-1")
    read = WireFused.model_validate_json(sent.model_dump_json())
    assert read.model_version == "model-1"
    np.testing.assert_array_equal(read.fused().vector, vector)
    assert (read.influence, read.confidence) == (influence, confidence)


def test_a_vector_is_little_endian_float32_in_base64() -> None:
    sent = WireInput.of(FusionInput("", (film(np.array([1, -2.5], np.float32)),)))
    packed = sent.model_dump(mode="json")["swipes"][0]["vector"]
    assert base64.b64decode(packed).hex() == "0000803f000020c0"


def test_the_largest_request_fits_sagemaker() -> None:
    longest = film(np.ones(384, np.float32), "七" * 20_000)
    asked = FusionInput("七" * 1_000_000, (longest,) * 5_000)
    body = WireInput.of(asked).model_dump_json().encode()
    assert len(body) < 6 * MEGABYTE
    assert len(WireInput.model_validate_json(body).swipes) == MAX_SWIPES


def test_half_a_character_is_sent_as_a_question_mark() -> None:
    sent = WireInput.of(FusionInput("\ud83c wow", (film(np.ones(1, np.float32), "\ud83c"),)))
    read = WireInput.model_validate_json(sent.model_dump_json())
    assert (read.query, read.swipes[0].text) == ("? wow", "?")


def test_one_and_many_are_told_apart() -> None:
    assert REQUEST.validate_json(b'{"query": "a"}') == WireInput(query="a")
    assert REQUEST.validate_json(b'{"instances": [{"query": "a"}, {}]}') == WireInstances(
        instances=(WireInput(query="a"), WireInput())
    )


@pytest.mark.parametrize(
    ("vector", "reason"),
    [
        (3, "written as base64"),
        ([0.1, 0.2], "written as base64"),
        ("", "at least one"),
        ("AAAA", "whole number of float32"),
        ("not base64", "base64"),
        (base64.b64encode(np.array([np.nan], "<f4").tobytes()).decode(), "finite"),
        (base64.b64encode(np.array([np.inf], "<f4").tobytes()).decode(), "finite"),
    ],
)
def test_a_vector_that_is_none_is_refused(vector: object, reason: str) -> None:
    swipe = {"item_id": "1", "text": "t", "liked": True, "vector": vector}
    with pytest.raises(ValidationError, match=reason):
        WireInput.model_validate({"swipes": [swipe]})


def test_errors_quote_nothing() -> None:
    with pytest.raises(ValidationError) as failure:
        REQUEST.validate_python({"query": ["a secret"], "swipes": "a secret"})
    assert "secret" not in str(failure.value)
