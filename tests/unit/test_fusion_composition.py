"""Which fusion encoder the settings choose."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from assistant.composition import load_fusion_encoder
from assistant.settings import Settings
from fusion.errors import EncoderUnavailable
from fusion.sagemaker_encoder import SageMakerFusionEncoder
from recommender.errors import InvalidRequest
from tests.fusion_container import aws_environment

SAGEMAKER = {
    "FUSION_ENCODER": "sagemaker",
    "SAGEMAKER_ENDPOINT_NAME": "fusion",
    "FUSION_MODEL_VERSION": "fusion-3",
    "VECTOR_DIM": "8",
}


@pytest.fixture
def environment() -> Iterator[pytest.MonkeyPatch]:
    with aws_environment() as patch:
        for name, value in SAGEMAKER.items():
            patch.setenv(name, value)
        yield patch


def test_the_endpoint_is_the_one_that_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SAGEMAKER_RUNTIME_URL", "http://localhost:8080")
    encoder = load_fusion_encoder(Settings())
    assert isinstance(encoder, SageMakerFusionEncoder)
    assert (encoder.model_version, encoder.dim) == ("fusion-3", 8)


@pytest.mark.parametrize("name", ["SAGEMAKER_ENDPOINT_NAME", "FUSION_MODEL_VERSION"])
def test_an_endpoint_needs_its_name_and_its_model(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.delenv(name)
    with pytest.raises(InvalidRequest, match=name):
        load_fusion_encoder(Settings())


def test_without_a_region_the_mend_is_said(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(EncoderUnavailable, match="Check AWS_DEFAULT_REGION"):
        load_fusion_encoder(Settings())


@pytest.mark.parametrize("package", ["boto3", "pybreaker"])
def test_without_the_extra_the_mend_is_said(environment: pytest.MonkeyPatch, package: str) -> None:
    environment.delitem(sys.modules, "fusion.sagemaker_encoder")
    environment.setitem(sys.modules, package, None)
    with pytest.raises(InvalidRequest, match=rf"needs {package}: pip install 'reelwise\[aws\]'"):
        load_fusion_encoder(Settings())


def test_who_does_not_ask_for_it_does_not_import_boto3() -> None:
    program = "import sys, assistant.cli; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
