"""The workflows, linted, and what they ask AWS."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.delivery.release import TRIES, deployed, gate
from tests.aws.assembly import Assembly
from tests.fusion_container import aws_environment

GITHUB = Path(__file__).parents[2] / ".github"
DEPLOYED_AT = datetime(2026, 11, 1, tzinfo=UTC)


def lint(*command: str | Path) -> None:
    program, *arguments = command
    done = subprocess.run(
        [Path(sys.executable).with_name(str(program)), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_are_of_githubs_schema() -> None:
    workflows = sorted((GITHUB / "workflows").glob("*.yml"))
    assert len(workflows) == 5
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)


def test_the_actions_are_of_githubs_schema() -> None:
    actions = sorted((GITHUB / "actions").glob("*/action.yml"))
    assert actions
    lint("check-jsonschema", "--builtin-schema", "vendor.github-actions", *actions)


def test_zizmor_finds_no_weakness_in_them() -> None:
    lint("zizmor", "--offline", "--no-progress", "--config", GITHUB / "zizmor.yml", GITHUB)


def test_only_the_repositorys_jobs_of_the_environment_may_deploy(prod: Assembly) -> None:
    [role] = [
        each
        for each in prod.properties("AWS::IAM::Role").values()
        if each.get("RoleName") == "reelwise-prod-deployer"
    ]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:reelwise/reelwise:environment:prod",
    }


@pytest.fixture
def clients() -> Iterator[None]:
    with aws_environment():
        yield


@pytest.mark.usefixtures("clients")
def test_the_deployed_commit_is_read_from_the_stack(prod: Assembly) -> None:
    assert "ImageTag" in prod.templates["chat"]["Outputs"]
    client = boto3.client("cloudformation")
    stack = {
        "StackName": "reelwise-prod-chat",
        "CreationTime": DEPLOYED_AT,
        "StackStatus": "UPDATE_COMPLETE",
        "Outputs": [{"OutputKey": "ImageTag", "OutputValue": "abc"}],
    }
    with Stubber(client) as stub:
        asked = {"StackName": "reelwise-prod-chat"}
        stub.add_response("describe_stacks", {"Stacks": [stack]}, asked)
        assert deployed(client, "prod") == "abc"
        stub.add_client_error("describe_stacks", "ValidationError", "does not exist")
        assert deployed(client, "prod") == ""


@pytest.mark.usefixtures("clients")
@pytest.mark.parametrize(
    ("walks", "well"),
    [
        (["PASSED", "PASSED"], True),
        (["FAILED", "PASSED", "PASSED"], True),
        (["FAILED", "FAILED"], False),
        (["PASSED", "FAILED", "FAILED"], False),
        (["PASSED", "RUNNING"], False),  # and then no more
    ],
)
def test_the_gate_opens_after_two_good_walks(walks: Sequence[str], well: bool) -> None:
    client = boto3.client("synthetics")
    before = _run("PASSED", -1)
    with Stubber(client) as stub:
        for seen in range(TRIES):
            runs = [_run(state, minute) for minute, state in enumerate(walks[: seen + 1])]
            stub.add_response("get_canary_runs", {"CanaryRuns": [*reversed(runs), before]})
        assert gate(client, "prod", DEPLOYED_AT, wait=lambda _: None) is well


def _run(state: str, minute: int) -> dict[str, Any]:
    started = DEPLOYED_AT + timedelta(minutes=minute)
    return {
        "Name": "reelwise-prod",
        "Status": {"State": state},
        "Timeline": {"Started": started, "Completed": started},
    }
