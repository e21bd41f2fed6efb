"""``reelwise sagemaker`` against moto, by the real boto3 client."""

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from typer.testing import CliRunner, Result

from assistant.cli import app
from tests.s3 import closed_to_strangers, s3

ROLE = "arn:aws:iam::123456789012:role/reelwise"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/reelwise:1"
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/reelwise-fusion/1"
DATA = ("--data", "s3://films/swipes", "--out", "s3://films/models")


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    with s3() as url:
        yield url


@pytest.fixture(autouse=True)
def _site(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    for name, value in {
        "SAGEMAKER_ROLE_ARN": ROLE,
        "SAGEMAKER_TRAINING_IMAGE": IMAGE,
        "SAGEMAKER_SERVING_IMAGE": IMAGE,
    }.items():
        monkeypatch.setenv(name, value)


def sagemaker(*words: str) -> Result:
    return CliRunner().invoke(app, ["sagemaker", *words])


def said(done: Result) -> str:
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def refused(done: Result) -> str:
    assert done.exit_code == 2, done.output
    [line] = done.stderr.strip().splitlines()
    return line


def test_a_training_job_is_started() -> None:
    name = said(sagemaker("train", *DATA, "--hyperparameter", "steps=30"))
    job = boto3.client("sagemaker").describe_training_job(TrainingJobName=name)
    assert job["RoleArn"] == ROLE
    assert job["EnableManagedSpotTraining"]
    assert job["CheckpointConfig"]["S3Uri"] == "s3://films/models/checkpoints"
    assert job["HyperParameters"] == {"steps": "30"}
    assert job["AlgorithmSpecification"]["TrainingImage"] == IMAGE


def test_a_processing_job_is_started() -> None:
    paths = ("--films", "s3://films/raw", "--out", "s3://films/features")
    name = said(sagemaker("process", *paths, "embed-items"))
    job = boto3.client("sagemaker").describe_processing_job(ProcessingJobName=name)
    assert job["AppSpecification"]["ContainerEntrypoint"] == ["reelwise-job"]
    assert job["AppSpecification"]["ContainerArguments"] == ["embed-items"]


def test_a_model_is_registered_approved_deployed_and_used_in_batches() -> None:
    client = boto3.client("sagemaker")
    model = ("--model", "s3://films/models/model.tar.gz", "--version", "fusion-3")
    package = said(sagemaker("register", *model))
    assert said(sagemaker("register", *model)) != package  # the next version of the same group
    described = client.describe_model_package(ModelPackageName=package)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["CustomerMetadataProperties"] == {"model_version": "fusion-3"}

    said(sagemaker("approve", "--package", package, "--note", "better"))
    described = client.describe_model_package(ModelPackageName=package)
    assert described["ModelApprovalStatus"] == "Approved"

    options = ("--endpoint", "reelwise", "--package", package, "--instance", "ml.c5.large")
    both = ("--variant", "embedding-fusion=3", "--variant", "token-fusion=1", "--most", "6")
    said(sagemaker("deploy", *options, *both))
    name = client.describe_endpoint(EndpointName="reelwise")["EndpointConfigName"]
    config = client.describe_endpoint_config(EndpointConfigName=name)
    variants = {v["VariantName"]: v for v in config["ProductionVariants"]}
    assert {name: v["InitialVariantWeight"] for name, v in variants.items()} == {
        "embedding-fusion": 3.0,
        "token-fusion": 1.0,
    }
    served = client.describe_model(ModelName=variants["token-fusion"]["ModelName"])
    assert served["PrimaryContainer"]["ModelPackageName"] == package
    assert served["PrimaryContainer"]["Environment"] == {"FUSION_MODEL": "token-fusion"}
    scaling = boto3.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    reelwise = [t for t in targets if t["ResourceId"].startswith("endpoint/reelwise/")]
    assert {t["ResourceId"]: t["MaxCapacity"] for t in reelwise} == {
        "endpoint/reelwise/variant/embedding-fusion": 6,
        "endpoint/reelwise/variant/token-fusion": 6,
    }

    paths = ("--in", "s3://films/asked", "--out", "s3://films/answered")
    name = said(sagemaker("transform", "--model", served["ModelName"], *paths))
    job = client.describe_transform_job(TransformJobName=name)
    assert job["TransformInput"]["SplitType"] == job["TransformOutput"]["AssembleWith"] == "Line"


def test_an_endpoint_that_is_there_is_changed_with_a_way_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """moto has no UpdateEndpoint: what would be sent is caught as boto3 has made it."""
    options = ("--endpoint", "changed", "--package", PACKAGE, "--instance", "ml.c5.large")
    said(sagemaker("deploy", *options))
    session, sent = boto3.Session(), list[dict[str, object]]()

    def catch(params: dict[str, bytes], **_: object) -> tuple[AWSResponse, dict[str, str]]:
        sent.append(json.loads(params["body"]))
        return AWSResponse("", 200, {}, None), {"EndpointArn": ""}

    session.events.register("before-call.sagemaker.UpdateEndpoint", catch)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    both = ("--variant", "embedding-fusion=1", "--variant", "token-fusion=1")
    said(sagemaker("deploy", *options, *both, "--alarm", "errors", "--least", "2"))
    [change] = sent
    assert change["RetainAllVariantProperties"] is True
    assert change["EndpointName"] == "changed"
    assert change["DeploymentConfig"]["AutoRollbackConfiguration"] == {  # type: ignore[index]
        "Alarms": [{"AlarmName": "errors"}]
    }
    scaling = boto3.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker",
        ResourceIds=[f"endpoint/changed/variant/{name}-fusion" for name in ("embedding", "token")],
    )["ScalableTargets"]
    assert [target["MinCapacity"] for target in targets] == [2, 2]


def test_an_endpoint_that_does_not_come_up_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session()
    for operation, told in (("Describe", "Failed"), ("Update", "Updating")):
        answer = AWSResponse("", 200, {}, None), {"EndpointStatus": told}
        session.events.register(
            f"before-call.sagemaker.{operation}Endpoint",
            lambda answer=answer, **_: answer,
        )
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    options = ("--endpoint", "broken", "--package", PACKAGE, "--instance", "ml.c5.large")
    line = refused(sagemaker("deploy", *options))
    assert "The endpoint does not serve" in line
    assert "CloudWatch says why" in line


def test_a_dry_run_shows_the_requests_and_sends_nothing(aws: str) -> None:
    with closed_to_strangers(aws):
        done = sagemaker("train", *DATA, "--dry-run", "--on-demand")
    shown = json.loads(said(done))
    assert shown["create_training_job"]["EnableManagedSpotTraining"] is False
    assert done.stderr == "Nothing was sent.\n"


class TestRefusals:
    def test_without_a_role(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SAGEMAKER_ROLE_ARN")
        assert "ROLE_ARN: Field required" in refused(sagemaker("train", *DATA))

    def test_without_an_image(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SAGEMAKER_TRAINING_IMAGE")
        assert "Set SAGEMAKER_TRAINING_IMAGE" in refused(sagemaker("train", *DATA))

    def test_without_a_region(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        line = refused(sagemaker("train", *DATA))
        assert "You must specify a region. Check the credentials and the region." in line

    def test_access_denied(self, aws: str) -> None:
        with closed_to_strangers(aws):
            line = refused(sagemaker("train", *DATA))
        assert line.startswith("reelwise: SageMaker refused (")

    @pytest.mark.parametrize("pair", ["steps", "=3", "steps="])
    def test_what_is_no_pair(self, pair: str) -> None:
        assert "is not of the form name=value" in refused(
            sagemaker("train", *DATA, "--hyperparameter", pair)
        )

    def test_a_weight_that_is_no_number(self) -> None:
        options = ("--endpoint", "reelwise", "--package", "arn", "--variant", "token-fusion=all")
        assert "weight is a number, not 'all'" in refused(sagemaker("deploy", *options))
