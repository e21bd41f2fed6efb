"""The SageMaker endpoint."""

from constructs import Construct

from infra.environment import EndpointSize, Environment
from infra.parts.endpoint import FusionEndpoint
from infra.stacks.base import ReelwiseStack
from infra.stacks.foundation import FoundationStack


class EndpointStack(ReelwiseStack):
    """The fusion endpoint of an environment that has one."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        size: EndpointSize,
        foundation: FoundationStack,
    ) -> None:
        super().__init__(scope, environment, "endpoint", "SageMaker endpoint")
        self.fusion = FusionEndpoint(
            self,
            "Fusion",
            environment,
            size,
            foundation.images["fusion"],
            foundation.key,
            foundation.alarms,
        )
