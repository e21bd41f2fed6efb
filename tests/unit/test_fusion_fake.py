"""What only the hashing fake promises; the rest is in the contract suite."""

import numpy as np

from fusion.fake import HashingEncoder


def test_case_order_and_punctuation_do_not_matter() -> None:
    left, right = HashingEncoder().encode(["Heat, a heist!", "a HEIST (heat)"])
    np.testing.assert_array_equal(left, right)


def test_buckets_are_the_same_in_every_process() -> None:
    vector = HashingEncoder().encode(["heat"])[0]
    assert np.flatnonzero(vector).tolist() == [207]


def test_length_can_be_chosen() -> None:
    assert HashingEncoder(dim=8).encode(["heat"]).shape == (1, 8)
