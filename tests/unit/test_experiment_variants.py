"""Who sees which variant, and which settings of an experiment are refused."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recommender.experiments.variants import VARIANTS, Variant, assign, parse_weights
from recommender.settings import RecommenderSettings

EVEN: dict[Variant, float] = {"preference_vector": 1.0, "embedding_fusion": 1.0}

some_weights = st.dictionaries(
    st.sampled_from(VARIANTS), st.floats(1e-6, 1e6), min_size=1, max_size=4
)


@given(st.text(), st.text(), some_weights)
def test_everybody_gets_one_variant_of_those_and_keeps_it(
    experiment: str, user_id: str, weights: dict[Variant, float]
) -> None:
    variant = assign(experiment, user_id, weights)
    assert variant in weights
    assert assign(experiment, user_id, weights) == variant


@given(st.text(), st.floats(0.01, 1000))
def test_only_the_proportion_of_weights_matters(user_id: str, factor: float) -> None:
    scaled = {variant: weight * factor for variant, weight in EVEN.items()}
    assert assign("e", user_id, scaled) == assign("e", user_id, EVEN)


@pytest.mark.parametrize(
    "weights",
    [EVEN, {"generic": 1.0, "token_fusion": 3.0}, dict(zip(VARIANTS, (1, 2, 3, 4), strict=True))],
)
def test_groups_are_as_large_as_their_weights(weights: dict[Variant, float]) -> None:
    people = 20_000
    seen = Counter(assign("e", f"user-{number}", weights) for number in range(people))
    for variant, weight in weights.items():
        share = weight / sum(weights.values())
        five_sigma = 5 * (share * (1 - share) / people) ** 0.5
        assert seen[variant] / people == pytest.approx(share, abs=five_sigma)


def test_groups_of_two_experiments_are_independent() -> None:
    users = [f"user-{number}" for number in range(20_000)]
    both = Counter((assign("e1", user, EVEN), assign("e2", user, EVEN)) for user in users)
    assert len(both) == 4
    assert all(abs(count / len(users) - 0.25) < 0.02 for count in both.values())


def test_an_assignment_is_the_same_in_every_process_and_release() -> None:
    users = ("ada", "bob", "cyd", "dan", "eve", "fay", "黒澤 明", "")
    assert "".join(assign("fusion-2026", user, EVEN)[0] for user in users) == "pepeeepe"


def test_weights_are_read() -> None:
    assert parse_weights("") == {}
    assert parse_weights(" token_fusion = 2 ,generic=0.5, ") == {"token_fusion": 2, "generic": 0.5}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("fusion=1", "'fusion' is no variant; there are generic, preference_vector"),
        ("generic", "write generic=<a number above 0>"),
        ("generic=", "write generic=<a number above 0>"),
        ("generic=0", "write generic=<a number above 0>"),
        ("generic=-1", "write generic=<a number above 0>"),
        ("generic=nan", "write generic=<a number above 0>"),
        ("generic=inf", "write generic=<a number above 0>"),
        ("generic=many", "write generic=<a number above 0>"),
        ("generic=1,generic=2", "generic is named twice"),
    ],
)
def test_bad_weights_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_weights(text)
    with pytest.raises(ValidationError, match=complaint) as refused:
        RecommenderSettings(experiment_variants=text)
    assert refused.value.errors()[0]["loc"] == ("experiment_variants",)


@pytest.mark.parametrize(
    ("settings", "named", "complaint"),
    [
        ({"experiment_name": "e"}, "experiment_variants", "compares two or more"),
        (
            {"experiment_name": "e", "experiment_variants": "generic=1"},
            "experiment_variants",
            "compares two or more",
        ),
        ({"experiment_interleaving": True}, "experiment_interleaving", "the two variants"),
        (
            {
                "experiment_variants": "generic=1,preference_vector=1,token_fusion=1",
                "experiment_interleaving": True,
            },
            "experiment_interleaving",
            "the two variants",
        ),
        ({"experiment_name": "two words"}, "experiment_name", "pattern"),
        ({"experiment_name": "x" * 65}, "experiment_name", "pattern"),
        ({"search_variant": "fusion"}, "search_variant", "generic"),
    ],
)
def test_settings_that_make_no_experiment_are_refused(
    settings: dict[str, object], named: str, complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint) as refused:
        RecommenderSettings.model_validate(settings)
    assert [error["loc"] for error in refused.value.errors()] == [(named,)]


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPERIMENT_NAME", "fusion-2026")
    monkeypatch.setenv("EXPERIMENT_VARIANTS", "preference_vector=1,embedding_fusion=1")
    monkeypatch.setenv("EXPERIMENT_INTERLEAVING", "true")
    settings = RecommenderSettings()
    assert settings.variant_weights == EVEN
    assert settings.experiment_interleaving


def test_by_default_there_is_no_experiment() -> None:
    settings = RecommenderSettings()
    assert (settings.experiment_name, settings.variant_weights) == ("", {})
    assert settings.search_variant == "embedding_fusion"
