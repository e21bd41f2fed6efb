"""The DynamoDB tables, keyed as the stores read them."""

from aws_cdk import aws_dynamodb, aws_iam, aws_kms
from constructs import Construct

from infra.environment import Environment
from infra.parts.removal import removal
from infra.parts.roles import allow
from recommender.stores.dynamodb.tables import EXPIRES_AT, Index, Shape

ACTIONS = (
    *("GetItem", "BatchGetItem", "Query", "Scan", "DescribeTable"),
    *("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "ConditionCheckItem"),
)


class Table(aws_dynamodb.Table):
    """A table billed by request, encrypted, restorable to any second, whose items may expire."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        shape: Shape,
        environment: Environment,
        key: aws_kms.IKey,
    ) -> None:
        partition, *sort = (_attribute(shape, each) for each in shape.keys)
        super().__init__(
            scope,
            name,
            table_name=f"reelwise-{environment.name}-{name}",
            partition_key=partition,
            sort_key=sort[0] if sort else None,
            billing_mode=aws_dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=aws_dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=aws_dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute=EXPIRES_AT,
            deletion_protection=environment.protected,
            removal_policy=removal(environment),
        )
        self._shape = shape
        for index in shape.indexes:
            self._add(shape, index)

    def let_in(self, role: aws_iam.IGrantable) -> None:
        """Let a role do what the stores do, with this table and its indexes alone."""
        indexes = [f"{self.table_arn}/index/{index.name}" for index in self._shape.indexes]
        allow(role, [self.table_arn], *(f"dynamodb:{action}" for action in ACTIONS))
        if indexes:
            allow(role, indexes, "dynamodb:Query", "dynamodb:Scan")

    def _add(self, shape: Shape, index: Index) -> None:
        self.add_global_secondary_index(
            index_name=index.name,
            partition_key=_attribute(shape, index.hash_key),
            sort_key=_attribute(shape, index.range_key) if index.range_key else None,
            projection_type=aws_dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=list(index.included),
        )


def _attribute(shape: Shape, name: str) -> aws_dynamodb.Attribute:
    kinds = aws_dynamodb.AttributeType
    kind = kinds.NUMBER if name in shape.numbers else kinds.STRING
    return aws_dynamodb.Attribute(name=name, type=kind)
