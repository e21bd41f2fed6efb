"""The CloudWatch dashboard: what people get, what it is made with, what carries it."""

from aws_cdk import Duration, aws_cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from infra.environment import Environment
from infra.metrics import NAMES, AppMetrics
from infra.stacks.chat import ChatStack
from infra.stacks.data import DataStack
from infra.stacks.rest import RestStack

Metrics = list[aws_cloudwatch.IMetric]


class Dashboard(aws_cloudwatch.Dashboard):
    """One page, the alarms on top."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: Environment,
        alarms: list[aws_cloudwatch.IAlarm],
        chat: ChatStack,
        rest: RestStack,
        data: DataStack,
    ) -> None:
        super().__init__(
            scope,
            id,
            dashboard_name=f"reelwise-{environment.name}",
            default_interval=Duration.hours(12),
        )
        metrics = AppMetrics(environment.name)
        self.add_widgets(
            aws_cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=24, height=3)
        )
        self.add_widgets(*_for_people(metrics))
        self.add_widgets(*_made_with(metrics))
        self.add_widgets(*_carried_by(chat, rest, data))


def _for_people(metrics: AppMetrics) -> list[aws_cloudwatch.IWidget]:
    name = NAMES.search_milliseconds
    return [
        _graph("Search, ms", [metrics.milliseconds(name, each) for each in ("p50", "p95", "p99")]),
        _graph("Searches and swipes", [metrics.count(NAMES.searches), metrics.count(NAMES.swipes)]),
        _graph("Searches that fail, %", [_share(metrics, NAMES.search_errors, NAMES.searches)]),
        _graph(
            "Surveys finished, %",
            [_share(metrics, NAMES.surveys_completed, NAMES.surveys_started)],
        ),
    ]


def _made_with(metrics: AppMetrics) -> list[aws_cloudwatch.IWidget]:
    return [
        _graph(
            "Fusions that fail, %",
            [_share(metrics, NAMES.inference_failures, NAMES.inferences)],
        ),
        _graph(
            "Vectors remembered, %",
            [_share(metrics, NAMES.embedding_hits, NAMES.embedding_lookups)],
        ),
        _graph("Answers remembered, %", [_share(metrics, NAMES.search_hits, NAMES.searches)]),
        _graph(
            "Profiles not learned, %",
            [_share(metrics, NAMES.preference_failures, NAMES.preference_updates)],
        ),
    ]


def _carried_by(chat: ChatStack, rest: RestStack, data: DataStack) -> list[aws_cloudwatch.IWidget]:
    codes = elb.HttpCodeTarget
    function, database = rest.rest.function, data.database
    return [
        _graph(
            "Chat: tasks' CPU and memory, %",
            [chat.service.metric_cpu_utilization(), chat.service.metric_memory_utilization()],
        ),
        _graph(
            "Chat: answers by kind",
            [
                chat.targets.metrics.http_code_target(code)
                for code in (codes.TARGET_2XX_COUNT, codes.TARGET_4XX_COUNT, codes.TARGET_5XX_COUNT)
            ],
        ),
        _graph(
            "REST: calls, errors, refusals",
            [
                function.metric_invocations(),
                function.metric_errors(),
                function.metric_throttles(),
            ],
        ),
        _graph(
            "Aurora: capacity units and connections",
            [
                database.metric_serverless_database_capacity(),
                database.metric_database_connections(),
            ],
        ),
    ]


def _share(metrics: AppMetrics, part: str, whole: str) -> aws_cloudwatch.IMetric:
    return metrics.percent(part, whole, least=1, otherwise=0)


def _graph(title: str, metrics: Metrics) -> aws_cloudwatch.GraphWidget:
    return aws_cloudwatch.GraphWidget(title=title, left=metrics, width=6, height=6)
