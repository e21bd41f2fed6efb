"""What is deployed, and whether it does well: ``python -m infra.delivery.release gate``.

Asks AWS with the deployer's role about the environment that ENVIRONMENT names.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError

EVERY_SECONDS = 30
TRIES = 40
"""Twenty minutes: the canary walks every five."""
WALKS = 2
"""In a row, that must go well."""


def deployed(cloudformation: Any, environment: str) -> str:  # noqa: ANN401 - boto3 makes it
    """The image tag that an environment runs; "" where nothing is deployed yet."""
    try:
        answer = cloudformation.describe_stacks(StackName=f"reelwise-{environment}-chat")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # there is no such stack
            return ""
        raise
    outputs = {each["OutputKey"]: each["OutputValue"] for each in answer["Stacks"][0]["Outputs"]}
    return str(outputs["ImageTag"])


def gate(
    synthetics: Any,  # noqa: ANN401
    environment: str,
    since: datetime,
    wait: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether the canary's walks that begin after ``since`` go well, twice in a row.

    One that fails is given another chance: a deployment ends conversations under way.
    """
    for runs in _polls(synthetics, environment, since, wait):
        states = [run["Status"]["State"] for run in runs]
        if states[-WALKS:] == ["PASSED"] * WALKS:
            return True
        if states[-WALKS:] == ["FAILED"] * WALKS:
            return False
    return False


def _polls(
    synthetics: Any,  # noqa: ANN401
    environment: str,
    since: datetime,
    wait: Callable[[float], None],
) -> Iterator[list[dict[str, Any]]]:
    """The walks that ended, the oldest first, as often as we ask."""
    for _ in range(TRIES):
        answer = synthetics.get_canary_runs(Name=f"reelwise-{environment}")
        runs = [run for run in answer["CanaryRuns"] if run["Timeline"]["Started"] >= since]
        ended = [run for run in runs if run["Status"]["State"] != "RUNNING"]
        yield sorted(ended, key=lambda run: run["Timeline"]["Started"])
        wait(EVERY_SECONDS)


def main(what: str) -> int:
    """``deployed`` prints a tag; ``gate`` ends with 0 if the canary does well, else with 1."""
    environment = os.environ["ENVIRONMENT"]
    if what == "deployed":
        print(deployed(boto3.client("cloudformation"), environment))
        return 0
    well = gate(boto3.client("synthetics"), environment, datetime.now(UTC))
    print("The canary walks." if well else "The canary does not get through: see its last run.")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
