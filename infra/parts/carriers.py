"""The alarms on what AWS itself counts: load balancer, gateway, function, tables, database."""

from collections.abc import Iterator

from aws_cdk import Duration, aws_cloudwatch
from aws_cdk.aws_cloudwatch import ComparisonOperator as Is

from infra.environment import Environment
from infra.metrics import Rule
from infra.stacks.chat import ChatStack
from infra.stacks.data import DataStack
from infra.stacks.jobs import JobsStack
from infra.stacks.rest import RestStack

ABOVE = Is.GREATER_THAN_THRESHOLD


def rules(
    environment: Environment, chat: ChatStack, rest: RestStack, data: DataStack, jobs: JobsStack
) -> Iterator[Rule]:
    """What must not happen below the application."""
    yield Rule(
        "NoTask",
        chat.targets.metrics.healthy_host_count(statistic="Minimum", period=Duration.minutes(1)),
        Is.LESS_THAN_THRESHOLD,
        1,
        "No task is ready to serve the chat.",
    )
    yield Rule(
        "RestFails",
        rest.rest.function.metric_errors(statistic="Sum"),
        ABOVE,
        5,
        "The REST function fails.",
    )
    yield Rule(
        "RestRefused",
        rest.rest.function.metric_throttles(statistic="Sum"),
        ABOVE,
        0,
        "The account's limit of functions at once is reached: requests are refused.",
    )
    yield Rule(
        "DatabaseFull",
        data.database.metric_serverless_database_capacity(statistic="Average"),
        ABOVE,
        0.9 * environment.database_acus[1],
        "Aurora has grown to nine tenths of what it may.",
    )
    yield Rule(
        "JobNotStarted",
        jobs.schedules.failed.metric_approximate_number_of_messages_visible(statistic="Maximum"),
        ABOVE,
        0,
        "A scheduled job could not be started.",
        periods=1,
    )
    yield from (_throttled(name, table.table_name) for name, table in data.tables.items())


def _throttled(name: str, table: str) -> Rule:
    refused = {
        f"{kind}s": aws_cloudwatch.Metric(
            namespace="AWS/DynamoDB",
            metric_name=f"{kind.title()}ThrottleEvents",
            dimensions_map={"TableName": table},
            statistic="Sum",
            period=Duration.minutes(5),
        )
        for kind in ("read", "write")
    }
    both = aws_cloudwatch.MathExpression(
        expression="FILL(reads, 0) + FILL(writes, 0)", using_metrics=refused, label="throttled"
    )
    id = "".join(word.title() for word in name.split("_")) + "Throttled"
    return Rule(id, both, ABOVE, 10, f"DynamoDB refuses requests to {name}: a hot key.")
