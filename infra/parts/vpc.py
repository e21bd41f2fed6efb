"""The network: load balancers are public, processes are not, data cannot reach out at all."""

from aws_cdk import aws_ec2, aws_kms
from constructs import Construct

from infra.environment import Environment
from infra.parts.logs import LogGroup

PUBLIC = aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PUBLIC)
PROCESSES = aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PRIVATE_WITH_EGRESS)
DATA = aws_ec2.SubnetSelection(subnet_type=aws_ec2.SubnetType.PRIVATE_ISOLATED)


class Network(aws_ec2.Vpc):
    """Three kinds of subnets in each zone; S3 and DynamoDB are reached without the internet."""

    def __init__(
        self, scope: Construct, id: str, environment: Environment, key: aws_kms.IKey
    ) -> None:
        kinds = {
            "public": aws_ec2.SubnetType.PUBLIC,
            "processes": aws_ec2.SubnetType.PRIVATE_WITH_EGRESS,
            "data": aws_ec2.SubnetType.PRIVATE_ISOLATED,
        }
        super().__init__(
            scope,
            id,
            availability_zones=[
                f"{environment.region}{zone}" for zone in "abc"[: environment.zones]
            ],
            nat_gateways=environment.nat_gateways,
            subnet_configuration=[
                aws_ec2.SubnetConfiguration(name=name, subnet_type=kind, cidr_mask=22)
                for name, kind in kinds.items()
            ],
            restrict_default_security_group=True,
            gateway_endpoints={
                "S3": aws_ec2.GatewayVpcEndpointOptions(
                    service=aws_ec2.GatewayVpcEndpointAwsService.S3
                ),
                "DynamoDb": aws_ec2.GatewayVpcEndpointOptions(
                    service=aws_ec2.GatewayVpcEndpointAwsService.DYNAMODB
                ),
            },
        )
        self._log_flows(environment, key)

    def _log_flows(self, environment: Environment, key: aws_kms.IKey) -> None:
        group = LogGroup(self, "FlowLogs", f"/reelwise/{environment.name}/flows", key)
        self.add_flow_log(
            "Flows",
            destination=aws_ec2.FlowLogDestination.to_cloud_watch_logs(group),
            traffic_type=aws_ec2.FlowLogTrafficType.REJECT,
        )
