"""The network."""

from aws_cdk import aws_kms
from constructs import Construct

from infra.environment import Environment
from infra.parts.vpc import Network
from infra.stacks.base import ReelwiseStack


class NetworkStack(ReelwiseStack):
    """The VPC with its subnets, gateways and flow logs."""

    def __init__(self, scope: Construct, environment: Environment, key: aws_kms.IKey) -> None:
        super().__init__(scope, environment, "network", "VPC")
        self.vpc = Network(self, "Vpc", environment, key)
