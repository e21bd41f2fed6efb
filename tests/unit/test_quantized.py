"""What is known of inner products by bytes alone, and that the best of all are found by it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommender.stores.quantized import Floats, Quantized

DIM = 24
numbers = st.floats(-4, 4, width=16)
vectors = arrays(np.float32, (DIM,), elements=numbers)
many = st.integers(1, 12).flatmap(lambda n: arrays(np.float32, (n, DIM), elements=numbers))


@given(many, vectors)
def test_the_inner_products_lie_between_the_bounds(matrix: Floats, vector: Floats) -> None:
    lowest, highest = Quantized.of(matrix).bounds(vector)

    products = matrix @ vector
    assert lowest.shape == highest.shape == products.shape
    assert (lowest <= products).all()
    assert (products <= highest).all()


def test_the_bounds_are_narrow_enough_to_leave_out_most() -> None:
    random = np.random.default_rng(5)
    matrix = random.standard_normal((1_000, 384), dtype=np.float32)
    vector = matrix[7] + random.standard_normal(384, dtype=np.float32)

    lowest, highest = Quantized.of(matrix).bounds(vector)

    tenth = np.sort(lowest)[-10]
    assert 10 <= (highest >= tenth).sum() < 50


def test_vectors_of_nothing_have_no_product() -> None:
    lowest, highest = Quantized.of(np.zeros((2, DIM), np.float32)).bounds(np.ones(DIM, np.float32))

    assert lowest.tolist() == highest.tolist() == [0.0, 0.0]
