from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusion.evaluate.calibration import reliability

pytest.importorskip("adjustText")
pytest.importorskip("adjustText")

from fusion.evaluate.plots import draw_reliability, spread


@given(st.lists(st.floats(0, 1), max_size=15), st.floats(0.01, 0.3))
def test_names_keep_their_order_and_distance(wanted: list[float], gap: float) -> None:
    placed = spread(wanted, gap)
    in_order = [placed[k] for k in sorted(range(len(wanted)), key=lambda k: wanted[k])]
    assert all(np.diff(in_order) >= gap - 1e-9)


def test_names_with_room_stay() -> None:
    assert spread([0.9, 0.1, 0.5], 0.2) == [0.9, 0.1, 0.5]


def test_a_reliability_curve_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "reliability.png"
    draw_reliability(reliability([0.2, 0.8, 0.9], [0, 1, 1]), path, "Confidence")
    assert path.read_bytes().startswith(b"\x89PNG")
