"""The SageMaker endpoint: one production variant, or two that an experiment compares."""

import json
from pathlib import Path

import pytest

from infra.process_settings import CHALLENGER, CHAMPION
from tests.aws.assembly import Assembly, Properties
from tests.aws.conftest import run_app


@pytest.fixture
def challenged(assemblies: dict[str, Assembly], tmp_path: Path) -> Assembly:  # noqa: ARG001 - skips
    """Prod with `-c challenger=true`."""
    context = {"env": "prod", "challenger": "true"}
    run_app(CDK_OUTDIR=str(tmp_path), CDK_CONTEXT_JSON=json.dumps(context))
    return Assembly(tmp_path)


def variants(assembly: Assembly) -> list[Properties]:
    [config] = assembly.properties("AWS::SageMaker::EndpointConfig").values()
    return list(config["ProductionVariants"])


def models(assembly: Assembly) -> set[str]:
    return {
        model["PrimaryContainer"]["Environment"]["FUSION_MODEL"]
        for model in assembly.properties("AWS::SageMaker::Model").values()
    }


def test_the_champion_serves_alone(prod: Assembly) -> None:
    assert [variant["VariantName"] for variant in variants(prod)] == [CHAMPION]
    assert models(prod) == {CHAMPION}


def test_a_challenger_stands_beside_it_and_grows_too(challenged: Assembly) -> None:
    weights = {each["VariantName"]: each["InitialVariantWeight"] for each in variants(challenged)}
    assert weights == {CHAMPION: 1, CHALLENGER: 0}  # it is called by name only
    assert models(challenged) == {CHAMPION, CHALLENGER}
    targets = challenged.properties("AWS::ApplicationAutoScaling::ScalableTarget").values()
    grown = {str(target["ResourceId"]).rpartition("/")[2] for target in targets}
    assert {CHAMPION, CHALLENGER} <= grown
    [functions] = (
        each["Environment"]["Variables"]
        for name, each in challenged.properties("AWS::Lambda::Function").items()
        if name.startswith("rest/") and "DATABASE_URL" in each["Environment"]["Variables"]
    )
    assert functions["EXPERIMENT_VARIANTS"] == "embedding_fusion=1,token_fusion=1"
