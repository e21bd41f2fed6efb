"""Aurora PostgreSQL: films, their vectors, and what DynamoDB does not hold."""

from aws_cdk import Duration, aws_ec2, aws_iam, aws_kms, aws_rds
from constructs import Construct

from infra.accepted import accept
from infra.environment import Environment
from infra.parts.logs import LogGroup
from infra.parts.removal import removal
from infra.parts.vpc import DATA

NAME = "reelwise"
USER = "reelwise"
"""Signs in with tokens of IAM; has no password."""
PORT = 5439
ENGINE = aws_rds.DatabaseClusterEngine.aurora_postgres(
    version=aws_rds.AuroraPostgresEngineVersion.VER_17_5
)


class Database(aws_rds.DatabaseCluster):
    """Serverless instances that no one reaches but who is in ``clients``, over TLS."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        vpc: aws_ec2.IVpc,
        key: aws_kms.IKey,
    ) -> None:
        least, most = environment.database_acus
        name = f"reelwise-{environment.name}"
        # RDS would make the group itself, to be kept for ever.
        log = LogGroup(scope, f"{id}Log", f"/aws/rds/cluster/{name}/postgresql", key)
        super().__init__(
            scope,
            id,
            cluster_identifier=name,
            engine=ENGINE,
            default_database_name=NAME,
            port=PORT,
            writer=_instance("Writer"),
            readers=[
                _instance(f"Reader{n}", scale_with_writer=n == 0)
                for n in range(environment.database_readers)
            ],
            serverless_v2_min_capacity=least,
            serverless_v2_max_capacity=most,
            vpc=vpc,
            vpc_subnets=DATA,
            storage_encrypted=True,
            storage_encryption_key=key,
            iam_authentication=True,
            manage_master_user_password=True,  # RDS makes it and rotates it every seven days
            enable_data_api=True,
            parameters={
                "rds.force_ssl": "1",
                "log_min_duration_statement": "500",
                "log_parameter_max_length": "0",  # what people look for stays out of the logs
                "log_parameter_max_length_on_error": "0",
            },
            backup=aws_rds.BackupProps(retention=Duration.days(14)),
            copy_tags_to_snapshot=True,
            cloudwatch_logs_exports=["postgresql"],
            deletion_protection=environment.protected,
            removal_policy=removal(environment),
        )
        self.node.add_dependency(log)
        self.clients = aws_ec2.SecurityGroup(
            self, "Clients", vpc=vpc, description="May connect to the database"
        )
        self.connections.allow_default_port_from(self.clients, "Who is in this group")
        if not environment.protected:
            accept(self, "Made and thrown away with its environment.", "RDS10")

    def membership(self, scope: Construct) -> aws_ec2.ISecurityGroup:
        """The group of who may connect, for another stack, which cannot change its rules."""
        group = self.clients.security_group_id
        return aws_ec2.SecurityGroup.from_security_group_id(
            scope, "DatabaseClients", group, mutable=False
        )

    def let_in(self, role: aws_iam.IGrantable) -> None:
        """Let a role sign in as the user of the application."""
        self.grant_connect(role, USER)


def _instance(id: str, scale_with_writer: bool | None = None) -> aws_rds.IClusterInstance:
    shared = {
        "publicly_accessible": False,
        "enable_performance_insights": True,
        "ca_certificate": aws_rds.CaCertificate.RDS_CA_RSA2048_G1,
    }
    if scale_with_writer is not None:
        shared["scale_with_writer"] = scale_with_writer
    return aws_rds.ClusterInstance.serverless_v2(id, **shared)
