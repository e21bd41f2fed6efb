"""Log groups, encrypted and not kept for ever."""

from aws_cdk import RemovalPolicy, aws_kms, aws_logs
from constructs import Construct


class LogGroup(aws_logs.LogGroup):
    """A log group that is kept for three months."""

    def __init__(self, scope: Construct, id: str, name: str, key: aws_kms.IKey) -> None:
        super().__init__(
            scope,
            id,
            log_group_name=name,
            encryption_key=key,
            retention=aws_logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.DESTROY,
        )
