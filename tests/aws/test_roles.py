"""Roles: no action is a pattern, and what has no resource is on a list."""

from collections.abc import Iterator
from typing import Any

from tests.aws.assembly import Assembly, Properties

NAMELESS = {
    "ecr:GetAuthorizationToken",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricData",
    "s3:ListAllMyBuckets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
"""Actions that AWS lets nobody limit to a resource."""
OF_THE_CDK = ("CustomVpcRestrictDefaultSG",)
"""Roles that the CDK makes for its own functions."""


def test_no_action_is_a_pattern(assemblies: dict[str, Assembly]) -> None:
    for assembly in assemblies.values():
        for name, statement in _statements(assembly):
            patterns = [action for action in _list(statement["Action"]) if "*" in action]
            assert not patterns, f"{name} may do {patterns}"


def test_what_is_allowed_everywhere_cannot_be_narrowed(assemblies: dict[str, Assembly]) -> None:
    seen = 0
    for assembly in assemblies.values():
        for name, statement in _statements(assembly):
            if "*" in _list(statement["Resource"]):
                seen += 1
                wide = set(_list(statement["Action"])) - NAMELESS
                assert not wide, f"{name} may do {wide} to everything"
    assert seen


def test_the_key_serves_a_role_only_through_the_service_it_is_for(prod: Assembly) -> None:
    seen = 0
    for name, statement in _statements(prod):
        actions = _list(statement["Action"])
        if "kms:Encrypt" in actions:
            seen += 1
            assert "kms:ViaService" in str(statement["Condition"]), name
    assert seen >= 2


def _statements(assembly: Assembly) -> Iterator[tuple[str, Properties]]:
    for part, name, resource in assembly.resources():
        if name.startswith(OF_THE_CDK):
            continue
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::IAM::Role":
                documents = [each["PolicyDocument"] for each in properties.get("Policies", [])]
            case "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy":
                documents = [properties["PolicyDocument"]]
            case _:
                documents = []
        for document in documents:
            for statement in document["Statement"]:
                yield f"{part}/{name}", statement


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - what JSON holds
    return value if isinstance(value, list) else [value]
