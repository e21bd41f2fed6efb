"""The REST API on Lambda, behind an API Gateway."""

from aws_cdk import aws_route53
from constructs import Construct

from infra import process_settings
from infra.environment import Environment
from infra.parts.http_api import HttpApi
from infra.parts.logs import LogGroup
from infra.parts.rest_function import RestFunction
from infra.parts.roles import may_use_models
from infra.process_settings import Wiring
from infra.stacks.base import ReelwiseStack
from infra.stacks.data import DataStack
from infra.stacks.foundation import FoundationStack
from infra.stacks.network import NetworkStack


class RestStack(ReelwiseStack):
    """The function and its gateway."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        wiring: Wiring,
        foundation: FoundationStack,
        network: NetworkStack,
        data: DataStack,
    ) -> None:
        super().__init__(scope, environment, "rest", "REST on Lambda")
        log = LogGroup(self, "Log", f"/reelwise/{environment.name}/rest", foundation.key)
        access = LogGroup(self, "Access", f"/reelwise/{environment.name}/gateway", foundation.key)
        self.rest = RestFunction(
            self,
            "Rest",
            environment,
            foundation.images["lambda"],
            network.vpc,
            data.database.membership(self),
            log,
            process_settings.rest(wiring),
        )
        data.let_in(self.rest.function)
        may_use_models(self.rest.function, self, wiring)
        zone = aws_route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=environment.zone_id, zone_name=environment.domain
        )
        self.gateway = HttpApi(
            self, "Gateway", environment, self.rest.live, zone, wiring.sign_in, access
        )
