"""What runs by the clock: commands that exist, and a pipeline that SageMaker would accept."""

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from typer.testing import CliRunner

from assistant.cli import app
from infra.parts.jobs import JOBS, Job
from infra.parts.training import OUTPUT, Parts, definition
from tests.aws.assembly import Assembly

OPERATIONS = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName": "pipelines-1"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName": "pipelines-1"}),
    "RegisterModel": ("CreateModelPackage", {}),
}
PARTS = Parts(
    app_image="app",
    training_image="training",
    serving_image="fusion",
    bucket="bucket",
    key="key",
    role="arn:aws:iam::123456789012:role/job",
    subnets=["subnet-1"],
    groups=["sg-1"],
    variables={"USER_STORE": "dynamodb"},
    packages="reelwise-test",
)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.id)
def test_a_job_is_a_command_that_takes_its_options(job: Job) -> None:
    name, *options = job.command
    offered = CliRunner().invoke(app, [name, "--help"])
    assert offered.exit_code == 0, offered.output
    for option in options:
        if option.startswith("--"):
            assert option in offered.output


def test_each_job_is_scheduled_and_its_failure_is_kept(prod: Assembly) -> None:
    schedules = prod.properties("AWS::Scheduler::Schedule").values()
    assert len(schedules) == len(JOBS) + 1  # and retraining
    for schedule in schedules:
        assert schedule["Target"]["DeadLetterConfig"]["Arn"]
        assert schedule["ScheduleExpression"].startswith("cron(")


def test_the_commands_reach_the_container_of_the_task(prod: Assembly) -> None:
    told = [
        json.loads(each["Target"]["Input"])
        for each in prod.properties("AWS::Scheduler::Schedule").values()
        if "EcsParameters" in each["Target"]
    ]
    commands = [each["containerOverrides"][0]["command"] for each in told]
    assert sorted(commands) == sorted(list(job.command) for job in JOBS)
    tasks = prod.properties("AWS::ECS::TaskDefinition").values()
    names = {container["Name"] for task in tasks for container in task["ContainerDefinitions"]}
    assert {each["containerOverrides"][0]["name"] for each in told} <= names


@pytest.mark.parametrize("step", definition(PARTS)["Steps"], ids=lambda step: step["Name"])
def test_sagemaker_takes_the_arguments_of_a_step(step: dict[str, Any]) -> None:
    operation, named = OPERATIONS[step["Type"]]
    service = botocore.session.get_session().get_service_model("sagemaker")
    shape = service.operation_model(operation).input_shape
    report = ParamValidator().validate({**named, **_resolved(step["Arguments"])}, shape)
    assert not report.has_errors(), report.generate_report()


def test_training_reads_what_the_export_wrote_and_goes_on_after_an_interruption() -> None:
    steps = {step["Name"]: step["Arguments"] for step in definition(PARTS)["Steps"]}
    [written] = steps["ExportSwipes"]["ProcessingOutputConfig"]["Outputs"]
    [read] = steps["Train"]["InputDataConfig"]
    assert written["S3Output"]["S3Uri"] == read["DataSource"]["S3DataSource"]["S3Uri"]
    file = steps["ExportSwipes"]["AppSpecification"]["ContainerArguments"][-1]
    variables = steps["Train"]["Environment"]
    assert file.startswith(OUTPUT)
    assert variables["SM_CHANNEL_TRAIN"].rsplit("/", 1)[1] == file.rsplit("/", 1)[1]
    assert steps["Train"]["EnableManagedSpotTraining"] is True
    assert steps["Train"]["CheckpointConfig"]["LocalPath"] == variables["SM_CHECKPOINT_DIR"]


def test_the_pipeline_is_deployed_as_it_is_defined(prod: Assembly) -> None:
    pipeline = prod.one("AWS::SageMaker::Pipeline")
    body = "".join(_texts(pipeline["PipelineDefinition"]["PipelineDefinitionBody"]))
    assert [step["Name"] for step in json.loads(body)["Steps"]] == [
        step["Name"] for step in definition(PARTS)["Steps"]
    ]


def _resolved(value: Any) -> Any:  # noqa: ANN401 - what JSON holds
    """Arguments with references to other steps, {"Get": ...}, as the strings they become."""
    if isinstance(value, dict):
        return (
            value["Get"] if set(value) == {"Get"} else {k: _resolved(v) for k, v in value.items()}
        )
    return [_resolved(each) for each in value] if isinstance(value, list) else value


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401
    """The parts of an Fn::Join, references as a letter."""
    _, parts = value["Fn::Join"]
    yield from (part if isinstance(part, str) else "x" for part in parts)
