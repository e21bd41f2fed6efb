"""What tells people when something is wrong: alarms, a dashboard, a canary."""

from aws_cdk import aws_cloudwatch_actions, aws_s3
from constructs import Construct

from infra.environment import Environment
from infra.metrics import AppMetrics, alarm, rules
from infra.parts import carriers
from infra.parts.buckets import data_bucket_name
from infra.parts.canary import Canary
from infra.parts.dashboard import Dashboard
from infra.stacks.base import ReelwiseStack
from infra.stacks.chat import ChatStack
from infra.stacks.data import DataStack
from infra.stacks.endpoint import EndpointStack
from infra.stacks.foundation import FoundationStack
from infra.stacks.identity import IdentityStack
from infra.stacks.jobs import JobsStack
from infra.stacks.rest import RestStack


class WatchStack(ReelwiseStack):
    """The alarms, which write to a topic; the dashboard; the canary."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        foundation: FoundationStack,
        identity: IdentityStack,
        data: DataStack,
        chat: ChatStack,
        rest: RestStack,
        jobs: JobsStack,
        endpoint: EndpointStack | None,
    ) -> None:
        super().__init__(scope, environment, "watch", "alarms, dashboard, canary")
        bucket = aws_s3.Bucket.from_bucket_name(self, "Data", data_bucket_name(environment))
        canary = Canary(
            self,
            "Canary",
            environment,
            bucket,
            identity.canary_client,
            identity.sign_in,
            foundation.key,
        )
        own = [
            *rules(AppMetrics(environment.name)),
            *carriers.rules(environment, chat, rest, data, jobs),
        ]
        alarms = [canary.failing(), *(alarm(self, rule) for rule in own)]
        for each in alarms:
            each.add_alarm_action(aws_cloudwatch_actions.SnsAction(foundation.alarms))
        if endpoint:  # it writes to the topic itself: its deployments are watched by it
            alarms.append(endpoint.fusion.errors)
        Dashboard(self, "Dashboard", environment, alarms, chat, rest, data)
