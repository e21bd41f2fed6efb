"""Doing without a part that fails, visibly."""

import logging

import pytest
from prometheus_client import REGISTRY

from recommender.errors import StoreUnavailable, UnknownItem
from recommender.fallbacks import Fallbacks


def fail() -> int:
    raise StoreUnavailable


def taken(part: str) -> float:
    return REGISTRY.get_sample_value("reelwise_fallbacks_total", {"part": part}) or 0.0


def test_what_works_is_not_a_fallback() -> None:
    fallbacks = Fallbacks()
    assert fallbacks.attempt("part", lambda: 3, 0) == 3
    assert fallbacks.taken == ()


def test_what_fails_is_named_once_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    fallbacks, before = Fallbacks(), taken("a")
    with caplog.at_level(logging.WARNING):
        answers = [fallbacks.attempt(part, fail, 7) for part in ("a", "b", "a")]
    assert answers == [7, 7, 7]
    assert fallbacks.taken == ("a", "b")
    assert taken("a") == before + 2
    assert "done without a" in caplog.text


def test_other_failures_pass() -> None:
    def wrong() -> int:
        raise UnknownItem("x")

    with pytest.raises(UnknownItem):
        Fallbacks().attempt("part", wrong, 0)
    assert Fallbacks().attempt("part", wrong, 0, (UnknownItem,)) == 0
