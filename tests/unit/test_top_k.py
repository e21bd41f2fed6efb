"""The best of many are those that sorting all of them would find."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommender.top_k import top_k


@given(st.lists(st.integers(-3, 3), max_size=30), st.integers(1, 40))
def test_the_best_are_those_of_a_whole_stable_sort(scores: list[int], k: int) -> None:
    values = np.array(scores, dtype=np.float32)
    wanted = sorted(range(len(scores)), key=lambda place: -scores[place])[:k]
    assert top_k(values, k).tolist() == wanted
