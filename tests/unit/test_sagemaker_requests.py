"""Each request is one that AWS's own description of the service allows."""

import re
from collections.abc import Iterator

import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from fusion import sagemaker_requests as requests
from fusion.sagemaker_requests import Machine, ProductionVariant, Request, Site

BARE = Site("arn:aws:iam::123456789012:role/reelwise")
FULL = Site(
    BARE.role_arn,
    kms_key="arn:aws:kms:eu-west-1:123456789012:key/0a0b0c0d",
    subnets=("subnet-0a1b",),
    security_groups=("sg-0a1b",),
    tags={"application": "reelwise"},
)
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/reelwise:1"
PACKAGE = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/reelwise-fusion/1"
VARIANTS = (
    ProductionVariant("embedding-fusion", "reelwise-a", "ml.c7i.large", weight=3.0),
    ProductionVariant("token-fusion", "reelwise-b", "ml.c7i.xlarge", instances=2),
)


@pytest.fixture(scope="module")
def services() -> dict[str, ServiceModel]:
    loader = Loader()
    names = ("sagemaker", "application-autoscaling")
    return {name: ServiceModel(loader.load_service_model(name, "service-2")) for name in names}


def of_site(site: Site) -> dict[str, Request]:
    """A request of each operation."""
    return {
        "CreateTrainingJob": requests.training_job(
            "reelwise-train-1",
            site,
            IMAGE,
            {"train": "s3://films/swipes", "catalogue": "s3://films/raw"},
            "s3://films/models",
            "s3://films/checkpoints",
            {"steps": 900, "hold_out": True},
        ),
        "CreateProcessingJob": requests.processing_job(
            "reelwise-curate-1",
            site,
            IMAGE,
            ["curate-survey", "--size", "600"],
            "s3://films/features",
            "s3://films/features",
            {"LOG_LEVEL": "info"},
        ),
        "CreateModelPackageGroup": requests.model_package_group("reelwise-fusion", site),
        "CreateModelPackage": requests.model_package(
            "reelwise-fusion", IMAGE, "s3://films/model.tar.gz", "fusion-3", {"films": "1590"}
        ),
        "UpdateModelPackage": requests.approval(PACKAGE, "better on validation"),
        "CreateModel": requests.model("reelwise-a", site, PACKAGE, "token-fusion"),
        "CreateEndpointConfig": requests.endpoint_config("reelwise-2", site, VARIANTS),
        "CreateEndpoint": requests.endpoint("reelwise", "reelwise-2", site),
        "UpdateEndpoint": requests.endpoint_update("reelwise", "reelwise-2", ["errors"]),
        "CreateTransformJob": requests.transform_job(
            "reelwise-1", "reelwise-a", site, "s3://films/in", "s3://films/out"
        ),
        "RegisterScalableTarget": requests.scalable_target("reelwise", "token-fusion", 1, 4),
        "DeregisterScalableTarget": requests.unscaled("reelwise", "token-fusion"),
        "PutScalingPolicy": requests.scaling_policy("reelwise", "token-fusion"),
    }


@pytest.mark.parametrize("operation", of_site(BARE))
@pytest.mark.parametrize("site", [BARE, FULL], ids=["bare", "full"])
def test_aws_would_take_it(services: dict[str, ServiceModel], operation: str, site: Site) -> None:
    [service] = [each for each in services.values() if operation in each.operation_names]
    request, shape = of_site(site)[operation], service.operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    assert list(violations(request, shape, operation)) == []


def violations(value: object, shape: Shape, path: str) -> Iterator[str]:
    """What botocore sends as it is, though the description forbids it: names, patterns, sizes."""
    for inner, inner_shape, name in parts(value, shape):
        yield from violations(inner, inner_shape, f"{path}{name}")
    if isinstance(value, list | dict | str) and not isinstance(shape, StructureShape):
        yield from beyond(len(value), shape, path)
    elif isinstance(value, int | float):
        yield from beyond(value, shape, path)
    if isinstance(value, str):
        yield from misspelled(value, shape, path)


def parts(value: object, shape: Shape) -> Iterator[tuple[object, Shape, str]]:
    """What a value consists of, with the shape of each part and its place."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        yield from ((inner, shape.members[name], f".{name}") for name, inner in value.items())
    elif isinstance(shape, ListShape) and isinstance(value, list):
        yield from ((inner, shape.member, "[]") for inner in value)
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        yield from ((name, shape.key, " key") for name in value)
        yield from ((inner, shape.value, f".{name}") for name, inner in value.items())


def misspelled(value: str, shape: Shape, path: str) -> Iterator[str]:
    allowed, pattern = getattr(shape, "enum", []), shape.metadata.get("pattern", ".*")
    if allowed and value not in allowed:
        yield f"{path}: {value} is none of {allowed}"
    if not re.search(r"\\[pu]", pattern) and not re.fullmatch(pattern, value):  # Java's own
        yield f"{path}: {value} is not like {pattern}"


def beyond(size: float, shape: Shape, path: str) -> Iterator[str]:
    if size > shape.metadata.get("max", size) or size < shape.metadata.get("min", size):
        yield f"{path}: {size} is too much or too little"


def test_the_check_finds_what_is_wrong(services: dict[str, ServiceModel]) -> None:
    """The check of the checks."""
    request = of_site(BARE)["CreateTrainingJob"]
    request["TrainingJobName"] = "no such_name"
    request["ResourceConfig"]["InstanceType"] = "ml.none"
    request["RetryStrategy"]["MaximumRetryAttempts"] = 31
    shape = services["sagemaker"].operation_model("CreateTrainingJob").input_shape
    assert shape is not None
    found = list(violations(request, shape, "it"))
    assert [each.partition(":")[0] for each in found] == [
        "it.TrainingJobName",
        "it.ResourceConfig.InstanceType",
        "it.RetryStrategy.MaximumRetryAttempts",
    ]


def test_spot_training_waits_longer_than_it_runs_and_keeps_checkpoints() -> None:
    request = of_site(BARE)["CreateTrainingJob"]
    assert request["EnableManagedSpotTraining"]
    stop = request["StoppingCondition"]
    assert stop["MaxWaitTimeInSeconds"] >= stop["MaxRuntimeInSeconds"]
    assert request["CheckpointConfig"] == {
        "S3Uri": "s3://films/checkpoints",
        "LocalPath": "/opt/ml/checkpoints",
    }
    assert request["HyperParameters"] == {"steps": "900", "hold_out": "true"}


def test_on_demand_training_does_not_wait() -> None:
    request = requests.training_job(
        "t", BARE, IMAGE, {"train": "s3://x/y"}, "s3://x/z", "s3://x/c", spot=False
    )
    assert not request["EnableManagedSpotTraining"]
    assert "MaxWaitTimeInSeconds" not in request["StoppingCondition"]


def test_what_a_site_shares_is_in_every_request_that_takes_it() -> None:
    text = {name: str(request) for name, request in of_site(FULL).items()}
    for name in ("CreateTrainingJob", "CreateProcessingJob", "CreateModel"):
        assert "subnet-0a1b" in text[name]
        assert "sg-0a1b" in text[name]
    encrypted = ("TrainingJob", "ProcessingJob", "EndpointConfig", "TransformJob")
    for name in encrypted:
        assert FULL.kms_key is not None
        assert FULL.kms_key in text[f"Create{name}"]
    tagged = {name for name, request in of_site(FULL).items() if "Tags" in request}
    untagged = {"UpdateModelPackage", "UpdateEndpoint", "CreateModelPackage"}
    scaling = {"RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy"}
    assert tagged == text.keys() - untagged - scaling


def test_nothing_that_people_said_is_captured() -> None:
    assert "DataCaptureConfig" not in of_site(FULL)["CreateEndpointConfig"]


def test_a_job_may_run_on_another_machine() -> None:
    machine = Machine("ml.m7i.2xlarge", volume_gb=100, hours=1)
    request = requests.processing_job(
        "p", BARE, IMAGE, ["x"], "s3://a/b", "s3://a/c", None, machine
    )
    cluster = request["ProcessingResources"]["ClusterConfig"]
    assert (cluster["InstanceType"], cluster["VolumeSizeInGB"]) == ("ml.m7i.2xlarge", 100)
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600}
