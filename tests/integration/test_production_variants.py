"""An A/B test of an endpoint's production variants: the experiment says which one is called."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assistant.composition import Fusions, load_fusions, production_variant
from assistant.settings import Settings
from fusion.encoder import TextEncoder
from fusion.onnx_fusion import load_fusion
from recommender import Recommender
from recommender.experiments.report import report
from recommender.models import Direction, SearchRequest
from recommender.settings import RecommenderSettings
from recommender.stores.ports import Stores
from tests.fusion_container import aws_environment, container
from tests.scripted_endpoint import Handler, reply, scripted_endpoint

SERVE = ("-m", "fusion.container", "serve")
SHIPPED = Path("fusion/models").absolute()
TARGET = "X-Amzn-SageMaker-Target-Variant"
VARIANTS = ("embedding_fusion", "token_fusion")
PEOPLE = 12


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """As SageMaker's runtime: a container for each variant, the request's header says which."""
    with (
        container(SERVE, SM_MODEL_DIR=f"{SHIPPED}", FUSION_MODEL="embedding-fusion") as (one, _),
        container(SERVE, SM_MODEL_DIR=f"{SHIPPED}", FUSION_MODEL="token-fusion") as (other, _),
        scripted_endpoint() as runtime,
    ):
        containers = {"embedding-fusion": one, "token-fusion": other}

        def route(handler: Handler) -> None:
            url = f"{containers[handler.headers[TARGET]]}/invocations"
            kind = {"Content-Type": handler.headers["Content-Type"]}
            answer = httpx.post(url, content=handler.body, headers=kind, timeout=30)
            reply(answer.status_code, answer.content)(handler)

        runtime.script.append(route)
        yield runtime.url


@pytest.fixture
def fused(endpoint: str) -> Iterator[Fusions]:
    """The encoders as the settings choose them."""
    versions = {
        variant: load_fusion(SHIPPED / production_variant(variant)).model_version  # type: ignore[arg-type]
        for variant in VARIANTS
    }
    with aws_environment() as patch:
        for name, value in {
            "FUSION_ENCODER": "sagemaker",
            "FUSION_MODEL_VERSIONS": json.dumps(versions),
            "SAGEMAKER_ENDPOINT_NAME": "reelwise",
            "SAGEMAKER_RUNTIME_URL": endpoint,
            "SAGEMAKER_TIMEOUT": "30",
            "EXPERIMENT_NAME": "production-variants",
            "EXPERIMENT_VARIANTS": "embedding_fusion=1,token_fusion=1",
        }.items():
            patch.setenv(name, value)
        yield load_fusions(Settings(), RecommenderSettings())


def test_each_person_is_answered_by_the_variant_that_is_theirs(
    fused: Fusions, stores: Stores, encoder: TextEncoder
) -> None:
    settings = RecommenderSettings()
    recommender = Recommender(stores, encoder, settings, fusions=fused.encoders)
    films = [film.item_id for film in recommender.films()[:6]]
    seen: dict[str, int] = {}
    for number in range(PEOPLE):
        person = f"of-production-variants-{number}"  # the name says which variant is theirs
        for film in films:
            recommender.record_swipe(person, film, Direction.LIKE)
        for query in ("a heist gone wrong", "a lonely robot"):
            found = recommender.search(SearchRequest(user_id=person, query=query, k=3))
            told = found.intelligence_metadata
            assert told.degraded == ()
            assert told.variant == "embedding_fusion" or told.variant == "token_fusion"
            assert found.model_version == fused.encoders[told.variant].model_version
            seen[told.variant] = seen.get(told.variant, 0) + 1
    assert seen.keys() == set(VARIANTS)
    figures = report(stores, settings.experiment_name).variants
    assert {each.variant: each.exposures for each in figures} == seen
