"""What every `TextEncoder` promises, asked of each implementation."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fusion.bedrock_encoder import BedrockTextEncoder
from fusion.encoder import TextEncoder
from fusion.fake import HashingEncoder
from fusion.onnx_encoder import OnnxTextEncoder
from tests.fusion_container import aws_environment
from tests.titan import titan

TEXTS = [
    "a slow western about revenge",
    "heist",
    "",
    " \n\t",
    "🎬🍿",
    "فيلم رومانسي قديم",
    "七人の侍",
    "\ud83c lone surrogate",
    "long " * 2_000,
    "\x00 nul",
]
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=200)


@pytest.fixture(scope="module", params=["hashing", "onnx", "bedrock 256", "bedrock 1024"])
def encoder(request: pytest.FixtureRequest) -> Iterator[TextEncoder]:
    match request.param.split():
        case ["hashing"]:
            yield HashingEncoder()
        case ["onnx"]:
            yield OnnxTextEncoder()
        case [_, dim]:
            with titan() as server, aws_environment() as patch:
                patch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
                yield BedrockTextEncoder(int(dim), timeout=10)


def test_rows_are_float32_unit_vectors_of_the_announced_length(encoder: TextEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(encoder: TextEncoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.dim)


def test_the_version_names_the_model(encoder: TextEncoder) -> None:
    assert encoder.model_version.strip()


@settings(max_examples=25, deadline=None)
@given(text=ANY_TEXT)
def test_any_string_is_embedded(encoder: TextEncoder, text: str) -> None:
    vector = encoder.encode([text])[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_vector_depends_on_its_text_alone(encoder: TextEncoder) -> None:
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in reversed(TEXTS)])[::-1]
    np.testing.assert_array_equal(together, alone)


def test_many_threads_get_the_vectors_one_would(encoder: TextEncoder) -> None:
    expected = encoder.encode(TEXTS)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(encoder.encode, [TEXTS] * 8))
    for answer in answers:
        np.testing.assert_array_equal(answer, expected)


def test_texts_that_share_words_are_nearer_than_those_that_do_not(encoder: TextEncoder) -> None:
    query, near, far = encoder.encode(
        [
            "a detective hunts a killer",
            "the killer and the detective",
            "teenagers sing at summer camp",
        ]
    )
    assert query @ near > query @ far + 0.2
