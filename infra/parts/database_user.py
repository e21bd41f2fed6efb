"""The database's own set-up that only its master may do: the extension and the user."""

from collections.abc import Mapping

from aws_cdk import aws_iam, aws_kms, custom_resources
from constructs import Construct

from infra.environment import Environment
from infra.parts.database import NAME, USER, Database
from infra.parts.logs import LogGroup

STATEMENTS: Mapping[str, str] = {
    "Extension": "CREATE EXTENSION IF NOT EXISTS vector",
    "User": f"""DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{USER}') THEN
    CREATE ROLE {USER} LOGIN;
  END IF;
END $$""",
    "SignIn": f"GRANT rds_iam TO {USER}",
    "Rights": f"GRANT ALL ON SCHEMA public TO {USER}",
}
"""Each can be run again. Migrations, which run as that user, do the rest."""


class DatabaseUser(Construct):
    """Runs the statements, one after the other, through the Data API when the cluster is new."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        database: Database,
        key: aws_kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        log = LogGroup(self, "Log", f"/reelwise/{environment.name}/database-user", key)
        role = aws_iam.Role(
            self, "Role", assumed_by=aws_iam.ServicePrincipal("lambda.amazonaws.com")
        )
        log.grant_write(role)
        policy = custom_resources.AwsCustomResourcePolicy.from_statements(_rights(database))
        before: Construct = database
        for name, statement in STATEMENTS.items():
            call = _call(database, name, statement)
            step = custom_resources.AwsCustomResource(
                self,
                name,
                on_create=call,
                on_update=call,
                policy=policy,
                role=role,
                log_group=log,
                install_latest_aws_sdk=False,
            )
            step.node.add_dependency(before)
            before = step


def _call(database: Database, name: str, statement: str) -> custom_resources.AwsSdkCall:
    return custom_resources.AwsSdkCall(
        service="rds-data",
        action="ExecuteStatement",
        parameters={
            "resourceArn": database.cluster_arn,
            "secretArn": _secret(database),
            "database": NAME,
            "sql": statement,
        },
        physical_resource_id=custom_resources.PhysicalResourceId.of(f"reelwise-{name}"),
        output_paths=["numberOfRecordsUpdated"],
    )


def _rights(database: Database) -> list[aws_iam.PolicyStatement]:
    return [
        aws_iam.PolicyStatement(
            actions=["rds-data:ExecuteStatement"], resources=[database.cluster_arn]
        ),
        aws_iam.PolicyStatement(
            actions=["secretsmanager:GetSecretValue"], resources=[_secret(database)]
        ),
    ]


def _secret(database: Database) -> str:
    assert database.secret is not None  # noqa: S101 - RDS manages one for this cluster
    return str(database.secret.secret_arn)
