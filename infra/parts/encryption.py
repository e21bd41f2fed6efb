"""The key under which everything at rest is encrypted."""

from aws_cdk import Duration, Stack, aws_iam, aws_kms
from constructs import Construct

from infra.environment import Environment
from infra.parts.removal import removal


class EncryptionKey(aws_kms.Key):
    """A key of our own that rotates every year; CloudWatch and alarms may use it as well."""

    def __init__(self, scope: Construct, id: str, environment: Environment) -> None:
        super().__init__(
            scope,
            id,
            alias=f"reelwise-{environment.name}",
            description="Encrypts Reelwise's data, logs and images",
            enable_key_rotation=True,
            pending_window=Duration.days(30),
            removal_policy=removal(environment),
        )
        self._let_logs_in(Stack.of(self))
        self._let_notifications_in()

    def _let_logs_in(self, stack: Stack) -> None:
        groups = f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:*"
        self.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[aws_iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:Describe*"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )

    def _let_notifications_in(self) -> None:
        """Without this an alarm cannot publish to an encrypted topic."""
        senders = ("cloudwatch", "budgets", "events")
        self.add_to_resource_policy(
            aws_iam.PolicyStatement(
                principals=[aws_iam.ServicePrincipal(f"{each}.amazonaws.com") for each in senders],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
            )
        )
