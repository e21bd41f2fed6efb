"""Rights that several roles have, each as narrow as its service allows."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack, aws_iam, aws_kms, aws_logs
from constructs import Construct

from infra.accepted import accept
from infra.process_settings import Wiring


def may_use_models(role: aws_iam.IGrantable, scope: Construct, wiring: Wiring) -> None:
    """Let a role ask the fusion endpoint and the chat model that it is told of, and no other."""
    stack = Stack.of(scope)
    if wiring.endpoint is not None:
        endpoint = stack.format_arn(
            service="sagemaker", resource="endpoint", resource_name=wiring.endpoint
        )
        allow(role, [endpoint], "sagemaker:InvokeEndpoint")
    if wiring.assistant_model is not None:
        model = wiring.assistant_model.partition(":")[2]
        named = f"arn:{stack.partition}:bedrock:{stack.region}::foundation-model/{model}"
        allow(role, [named], "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")


def allow(
    role: aws_iam.IGrantable,
    resources: Sequence[str],
    *actions: str,
    only: Mapping[str, object] | None = None,
) -> None:
    """Let a role do ``actions`` to ``resources``, where the condition ``only`` holds."""
    role.grant_principal.add_to_principal_policy(
        aws_iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=only)
    )


def may_decrypt_through(role: aws_iam.IGrantable, key: aws_kms.IKey, *services: str) -> None:
    """Let a role use the key, but only as far as those services use it on its behalf."""
    region = Stack.of(key).region
    through = [f"{service}.{region}.amazonaws.com" for service in services]
    allow(
        role,
        [key.key_arn],
        *("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"),
        only={"StringEquals": {"kms:ViaService": through}},
    )


def lambda_role(scope: Construct, log: aws_logs.ILogGroup) -> aws_iam.Role:
    """A function's role in the VPC: it writes its own log, has interfaces there, and traces."""
    role = aws_iam.Role(scope, "Role", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com"))
    log.grant_write(role)
    allow(
        role,
        ["*"],
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
    )
    accept(role, "Interfaces and traces have no name before they are.", "IAM5[Resource::*]")
    return role
