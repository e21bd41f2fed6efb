"""Everything that keeps state."""

from collections.abc import Mapping

from aws_cdk import aws_iam
from constructs import Construct

from infra.environment import Environment
from infra.parts.buckets import DataBucket
from infra.parts.database import Database
from infra.parts.database_user import DatabaseUser
from infra.parts.roles import may_decrypt_through
from infra.parts.tables import Table
from infra.stacks.base import ReelwiseStack
from infra.stacks.foundation import FoundationStack
from infra.stacks.network import NetworkStack
from recommender.stores.dynamodb.tables import SHAPES


class DataStack(ReelwiseStack):
    """The database, the four tables, and the bucket of the batch side."""

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        foundation: FoundationStack,
        network: NetworkStack,
    ) -> None:
        super().__init__(scope, environment, "data", "Aurora, DynamoDB, S3")
        self._key = foundation.key
        self.database = Database(self, "Database", environment, network.vpc, foundation.key)
        DatabaseUser(self, "DatabaseUser", environment, self.database, foundation.key)
        self.tables: Mapping[str, Table] = {
            name: Table(self, name, shape, environment, foundation.key)
            for name, shape in SHAPES.items()
        }
        self.bucket = DataBucket(
            self, "Bucket", environment, foundation.key, foundation.access_logs
        )

    def let_in(self, role: aws_iam.IGrantable) -> None:
        """Let a process that serves or learns use database and tables."""
        self.database.let_in(role)
        for table in self.tables.values():
            table.let_in(role)
        may_decrypt_through(role, self._key, "dynamodb")
