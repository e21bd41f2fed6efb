"""The canary: walks the API every five minutes, see ``infra/canary``."""

from pathlib import Path

from aws_cdk import (
    Duration,
    Stack,
    aws_cloudwatch,
    aws_iam,
    aws_kms,
    aws_s3,
    aws_secretsmanager,
    aws_synthetics,
)
from constructs import Construct

from infra.accepted import accept, of_resources
from infra.environment import Environment
from infra.parts.roles import allow, may_decrypt_through
from infra.process_settings import SignIn

CODE = Path(__file__).parents[1] / "canary"
RUNTIME = aws_synthetics.Runtime.SYNTHETICS_PYTHON_SELENIUM_7_0
MINUTES = 5


class Canary(aws_synthetics.Canary):
    """The walk, signed in as a client of the user pool."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        artifacts: aws_s3.IBucket,
        client: aws_secretsmanager.ISecret,
        sign_in: SignIn,
        key: aws_kms.IKey,
    ) -> None:
        name = f"reelwise-{environment.name}"
        super().__init__(
            scope,
            id,
            canary_name=name,
            runtime=RUNTIME,
            test=aws_synthetics.Test.custom(
                code=aws_synthetics.Code.from_asset(str(CODE), exclude=["**/__pycache__"]),
                handler="canary.handler",
            ),
            schedule=aws_synthetics.Schedule.rate(Duration.minutes(MINUTES)),
            timeout=Duration.minutes(2),
            active_tracing=False,
            environment_variables={
                "API_URL": f"https://api.{environment.domain}",
                "CHAT_URL": f"https://chat.{environment.domain}",
                "SIGN_IN_URL": f"https://{sign_in.host}",
                "CLIENT_SECRET": client.secret_arn,
            },
            artifacts_bucket_location=aws_synthetics.ArtifactsBucketLocation(
                bucket=artifacts, prefix="canary"
            ),
            role=_role(scope, name, artifacts, client, key),
            provisioned_resource_cleanup=True,
        )

    def failing(self) -> aws_cloudwatch.Alarm:
        """Two walks in a row went wrong."""
        return self.metric_success_percent(period=Duration.minutes(MINUTES)).create_alarm(
            self,
            "Failing",
            alarm_description="People cannot go from the survey to an explanation.",
            comparison_operator=aws_cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            threshold=100,
            evaluation_periods=2,
            treat_missing_data=aws_cloudwatch.TreatMissingData.BREACHING,
        )


def _role(
    scope: Construct,
    name: str,
    artifacts: aws_s3.IBucket,
    client: aws_secretsmanager.ISecret,
    key: aws_kms.IKey,
) -> aws_iam.Role:
    lambda_ = aws_iam.ServicePrincipal("lambda.amazonaws.com")
    role = aws_iam.Role(scope, "CanaryRole", assumed_by=lambda_)
    stack = Stack.of(scope)
    logs = (
        f"arn:{stack.partition}:logs:{stack.region}:{stack.account}"
        f":log-group:/aws/lambda/cwsyn-{name}-*"
    )
    pictures = artifacts.arn_for_objects("canary/*")
    allow(role, [pictures], "s3:PutObject")
    allow(role, [artifacts.bucket_arn], "s3:GetBucketLocation")
    allow(role, ["*"], "s3:ListAllMyBuckets")
    allow(role, [logs], "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
    own = {"StringEquals": {"cloudwatch:namespace": "CloudWatchSynthetics"}}
    allow(role, ["*"], "cloudwatch:PutMetricData", only=own)
    allow(role, [client.secret_arn], "secretsmanager:GetSecretValue")
    may_decrypt_through(role, key, "secretsmanager", "s3")
    accept(
        role,
        "Synthetics asks for these: its own metrics, reports and logs.",
        "IAM5[Resource::*]",
        *of_resources(pictures, logs),
    )
    return role
