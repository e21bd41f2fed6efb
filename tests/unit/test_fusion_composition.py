"""Which fusion encoders the settings choose, and what is refused at the start."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from assistant.composition import load_fusions
from assistant.settings import Settings
from fusion.errors import EncoderUnavailable, ModelFilesCorrupt, ModelFilesMissing
from fusion.fusion_encoder import FusionEncoder
from fusion.onnx_fusion import CARD, GRAPH, OnnxEmbeddingFusion
from fusion.sagemaker_encoder import SageMakerFusionEncoder
from recommender.errors import InvalidRequest
from recommender.experiments.variants import Variant
from recommender.settings import RecommenderSettings
from tests.fusion_container import aws_environment

SAGEMAKER = {
    "FUSION_ENCODER": "sagemaker",
    "SAGEMAKER_ENDPOINT_NAME": "fusion",
    "FUSION_MODEL_VERSION": "fusion-3",
}


@pytest.fixture
def environment(models_folder: Path) -> Iterator[pytest.MonkeyPatch]:
    with aws_environment() as patch:
        for name, value in (SAGEMAKER | {"FUSION_DIR": str(models_folder)}).items():
            patch.setenv(name, value)
        yield patch


@pytest.fixture
def folder(models_folder: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return shutil.copytree(models_folder, tmp_path / "models", symlinks=True)


def load() -> Mapping[Variant, FusionEncoder]:
    return load_fusions(Settings(), RecommenderSettings()).encoders


def test_the_embedded_model_is_the_folders(models_folder: Path) -> None:
    fusions = load_fusions(Settings(fusion_dir=models_folder), RecommenderSettings())
    assert fusions.encoders.keys() == {"embedding_fusion"}
    encoder = fusions.encoders["embedding_fusion"]
    assert isinstance(encoder, OnnxEmbeddingFusion)
    assert (encoder.model_version, encoder.dim, fusions.space.dim) == ("blend-1", 384, 384)


def test_only_models_of_wanted_variants_are_loaded(models_folder: Path) -> None:
    (settings, wanted) = Settings(fusion_dir=models_folder), RecommenderSettings
    assert not load_fusions(settings, wanted(search_variant="preference_vector")).encoders
    with pytest.raises(ModelFilesMissing, match="token-fusion"):
        load_fusions(settings, wanted(search_variant="token_fusion"))
    compared = wanted(experiment_name="x", experiment_variants="preference_vector=1,token_fusion=1")
    with pytest.raises(ModelFilesMissing, match="token-fusion"):
        load_fusions(settings, compared)


def test_the_endpoint_is_the_one_that_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SAGEMAKER_RUNTIME_URL", "http://localhost:8080")
    encoder = load()["embedding_fusion"]
    assert isinstance(encoder, SageMakerFusionEncoder)
    assert (encoder.model_version, encoder.dim) == ("fusion-3", 384)


def test_each_variant_of_an_experiment_may_have_its_production_variant(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("EXPERIMENT_NAME", "x")
    environment.setenv("EXPERIMENT_VARIANTS", "embedding_fusion=1,token_fusion=1")
    versions = {"embedding_fusion": "embedding-fusion-4", "token_fusion": "token-fusion-4"}
    environment.setenv("FUSION_MODEL_VERSIONS", json.dumps(versions))
    encoders = load()
    assert {name: encoder.model_version for name, encoder in encoders.items()} == versions
    targets = {name: vars(encoder)["_target"] for name, encoder in encoders.items()}
    assert targets == {
        "embedding_fusion": {"TargetVariant": "embedding-fusion"},
        "token_fusion": {"TargetVariant": "token-fusion"},
    }


@pytest.mark.parametrize("name", ["SAGEMAKER_ENDPOINT_NAME", "FUSION_MODEL_VERSION"])
def test_an_endpoint_needs_its_name_and_its_model(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.delenv(name)
    with pytest.raises(InvalidRequest, match=name):
        load()


def test_without_a_region_the_mend_is_said(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(EncoderUnavailable, match="Check AWS_DEFAULT_REGION"):
        load()


@pytest.mark.parametrize("package", ["boto3", "pybreaker"])
def test_without_the_extra_the_mend_is_said(environment: pytest.MonkeyPatch, package: str) -> None:
    for module in ("fusion.sagemaker_encoder", "fusion.circuit"):
        environment.delitem(sys.modules, module, raising=False)
    environment.setitem(sys.modules, package, None)
    with pytest.raises(InvalidRequest, match=rf"needs {package}: pip install 'reelwise\[aws\]'"):
        load()


def test_a_space_of_another_length_is_refused_with_the_mend(
    models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.composition.FUSED_DIM", 128)
    with pytest.raises(
        InvalidRequest, match=r"384 numbers, .* room for 128\. Train the model anew"
    ):
        load_fusions(Settings(fusion_dir=models_folder), RecommenderSettings())


def test_the_length_of_text_vectors_is_not_that_of_the_space(models_folder: Path) -> None:
    settings = Settings(fusion_dir=models_folder, text_encoder="bedrock", vector_dim=1024)
    assert load_fusions(settings, RecommenderSettings()).space.dim == 384


@pytest.mark.parametrize(
    "name",
    ["item-space/item_space.npz", f"embedding-fusion/{CARD}", f"embedding-fusion/{GRAPH}"],
)
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "turned"])
def test_a_damaged_file_is_named_with_the_mend(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        turned = whole[:-1] + bytes([whole[-1] ^ 255])
        path.write_bytes({"empty": b"", "cut": whole[: len(whole) // 2], "turned": turned}[damage])
    with pytest.raises(EncoderUnavailable) as caught:
        load_fusions(Settings(fusion_dir=folder), RecommenderSettings())
    assert isinstance(caught.value, ModelFilesMissing | ModelFilesCorrupt)
    assert str(path) in str(caught.value)
    assert f"reelwise train --data <MovieLens folder> --out {folder}`" in str(caught.value)


def test_a_space_that_the_model_was_not_trained_for_is_refused(folder: Path) -> None:
    card = folder / "embedding-fusion" / CARD
    facts = json.loads(card.read_text(encoding="utf-8")) | {"space": "0" * 64}
    card.write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(ModelFilesCorrupt, match="was trained for another item space"):
        load_fusions(Settings(fusion_dir=folder), RecommenderSettings())


def test_who_does_not_ask_for_it_does_not_import_boto3() -> None:
    program = "import sys, assistant.cli; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
