"""The templates as a whole: accepted by cfn-lint and by cdk-nag."""

import subprocess
import sys
from pathlib import Path

from tests.aws.assembly import Assembly

IGNORED = (
    "W3005",  # the CDK says dependencies twice
    "W3010",  # zones are named, so that there are as many in every account
)


def test_cfn_lint_finds_nothing(assemblies: dict[str, Assembly]) -> None:
    templates = [path for each in assemblies.values() for path in each.folder.glob("*.template.*")]
    assert len(templates) >= 3 * 6
    linter = Path(sys.executable).with_name("cfn-lint")
    ignore = ["--ignore-checks", *IGNORED]
    done = subprocess.run(
        [linter, *map(str, templates), *ignore], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_each_finding_that_is_accepted_has_its_reason(assemblies: dict[str, Assembly]) -> None:
    for assembly in assemblies.values():
        found = assembly.findings("AwsSolutions")
        assert found["conclusion"] == "success"
        assert found["violations"] == []
        accepted = found["suppressedViolations"]
        assert accepted
        assert all(len(finding["reason"]) > 20 for finding in accepted)


def test_everything_bears_the_tags_that_costs_are_told_apart_by(prod: Assembly) -> None:
    for kind in ("AWS::DynamoDB::Table", "AWS::RDS::DBCluster", "AWS::ECS::Service"):
        for properties in prod.properties(kind).values():
            tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
            assert tags["project"] == "reelwise"
            assert tags["environment"] == "prod"
            assert tags["part"]
