"""The role of GitHub Actions: no keys, only the repository's jobs of this environment."""

from collections.abc import Sequence

from aws_cdk import Duration, Stack, aws_ecr, aws_iam
from constructs import Construct

from infra.accepted import accept, of_resources
from infra.environment import Environment
from infra.parts.roles import allow

ISSUER = "token.actions.githubusercontent.com"
PUSH = (
    *("BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart"),
    *("CompleteLayerUpload", "PutImage", "BatchGetImage", "DescribeImages"),
    *("DescribeImageScanFindings", "GetDownloadUrlForLayer"),
)
CDK = ("deploy-role", "file-publishing-role", "lookup-role")
"""Of the CDK's bootstrap; they, not this role, may change resources."""


class Deployer(aws_iam.Role):
    """Pushes images, hands over to the CDK's roles, and watches the canary."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        images: Sequence[aws_ecr.IRepository],
    ) -> None:
        issuer = aws_iam.CfnOIDCProvider(
            scope, "GitHub", url=f"https://{ISSUER}", client_id_list=["sts.amazonaws.com"]
        )
        subject = f"repo:{environment.repository}:environment:{environment.name}"
        super().__init__(
            scope,
            id,
            role_name=f"reelwise-{environment.name}-deployer",
            max_session_duration=Duration.hours(1),
            assumed_by=aws_iam.FederatedPrincipal(
                issuer.attr_arn,
                {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": subject}},
                "sts:AssumeRoleWithWebIdentity",
            ),
        )
        self._let(Stack.of(scope), environment, images)
        accept(
            self,
            "ECR's tokens and the list of alarms know no resource.",
            "IAM5[Resource::*]",
        )

    def _let(
        self, stack: Stack, environment: Environment, images: Sequence[aws_ecr.IRepository]
    ) -> None:
        allow(self, ["*"], "ecr:GetAuthorizationToken", "cloudwatch:DescribeAlarms")
        allow(self, [image.repository_arn for image in images], *(f"ecr:{each}" for each in PUSH))
        prefix = f"arn:{stack.partition}:iam::{stack.account}:role/cdk-hnb659fds"
        allow(
            self,
            [f"{prefix}-{role}-{stack.account}-{stack.region}" for role in CDK],
            "sts:AssumeRole",
        )
        canary = stack.format_arn(
            service="synthetics", resource="canary", resource_name=f"reelwise-{environment.name}"
        )
        chat = stack.format_arn(
            service="cloudformation",
            resource="stack",
            resource_name=f"reelwise-{environment.name}-chat/*",
        )
        allow(self, [chat], "cloudformation:DescribeStacks")
        accept(self, "A stack's ARN ends in an id.", *of_resources(chat))
        allow(self, [canary], "synthetics:GetCanary", "synthetics:GetCanaryRuns")
