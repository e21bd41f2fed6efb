"""Chat and REST on Fargate, behind a load balancer."""

from aws_cdk import CfnOutput, aws_ecs, aws_route53
from constructs import Construct

from infra import process_settings
from infra.environment import Environment
from infra.parts.balancer import Balancer
from infra.parts.firewall import Firewall
from infra.parts.logs import LogGroup
from infra.parts.roles import may_use_models
from infra.parts.service import Service
from infra.parts.task import Task
from infra.process_settings import Wiring
from infra.stacks.base import ReelwiseStack
from infra.stacks.data import DataStack
from infra.stacks.foundation import FoundationStack
from infra.stacks.identity import IdentityStack
from infra.stacks.network import NetworkStack


class ChatStack(ReelwiseStack):
    """The cluster, its service, the load balancer, and the firewall before it."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        wiring: Wiring,
        foundation: FoundationStack,
        network: NetworkStack,
        data: DataStack,
        identity: IdentityStack,
    ) -> None:
        super().__init__(scope, environment, "chat", "chat and REST on Fargate")
        self.cluster = aws_ecs.Cluster(
            self,
            "Cluster",
            vpc=network.vpc,
            container_insights_v2=aws_ecs.ContainerInsights.ENABLED,
        )
        task = self._task(environment, wiring, foundation, identity)
        data.let_in(task.task_role)
        may_use_models(task.task_role, self, wiring)
        self.service = Service(
            self, "Service", environment, self.cluster, task, data.database.membership(self)
        )
        self.balancer = Balancer(
            self,
            "Balancer",
            environment,
            network.vpc,
            _zone(self, environment),
            foundation.access_logs,
        )
        self.targets = self.balancer.send_to(self.service)
        self.service.roll_back_on_errors(self.targets)
        self._guard(environment, foundation, identity)
        CfnOutput(self, "ImageTag", value=environment.image_tag)

    def _task(
        self,
        environment: Environment,
        wiring: Wiring,
        foundation: FoundationStack,
        identity: IdentityStack,
    ) -> Task:
        client = identity.chat_client
        return Task(
            self,
            "Chat",
            foundation.images["app"],
            environment.image_tag,
            LogGroup(self, "Log", f"/reelwise/{environment.name}/chat", foundation.key),
            process_settings.chat(wiring),
            ["serve"],
            secrets={
                "CHAINLIT_AUTH_SECRET": aws_ecs.Secret.from_secrets_manager(identity.sessions),
                "OAUTH_COGNITO_CLIENT_ID": aws_ecs.Secret.from_secrets_manager(client, "client_id"),
                "OAUTH_COGNITO_CLIENT_SECRET": aws_ecs.Secret.from_secrets_manager(
                    client, "client_secret"
                ),
            },
            serves=True,
        )

    def _guard(
        self, environment: Environment, foundation: FoundationStack, identity: IdentityStack
    ) -> None:
        # WAF writes to no group whose name does not begin so.
        log = LogGroup(
            self, "FirewallLog", f"aws-waf-logs-reelwise-{environment.name}", foundation.key
        )
        firewall = Firewall(self, "Firewall", environment, log)
        firewall.protect("Chat", self.balancer.load_balancer_arn)
        firewall.protect("SignIn", identity.users.user_pool_arn)


def _zone(scope: Construct, environment: Environment) -> aws_route53.IHostedZone:
    return aws_route53.HostedZone.from_hosted_zone_attributes(
        scope, "Zone", hosted_zone_id=environment.zone_id, zone_name=environment.domain
    )
