"""Where alarms are written to."""

from aws_cdk import aws_kms, aws_sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.environment import Environment


class AlarmTopic(aws_sns.Topic):
    """An encrypted topic that an e-mail address listens to."""

    def __init__(
        self, scope: Construct, id: str, environment: Environment, key: aws_kms.IKey
    ) -> None:
        super().__init__(
            scope,
            id,
            topic_name=f"reelwise-{environment.name}-alarms",
            master_key=key,
            enforce_ssl=True,
        )
        self.add_subscription(subscriptions.EmailSubscription(environment.alarm_email))
