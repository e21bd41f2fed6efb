"""The CloudWatch dashboard: what people get, what it is made with, what carries it."""

from aws_cdk import Duration, aws_cloudwatch
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from infra import metrics as m
from infra.environment import Environment
from infra.metrics import AppMetrics
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
    return [
        _graph("Search, seconds", [metrics.seconds(each) for each in ("p50", "p95", "p99")]),
        _graph("Searches and swipes", [metrics.count(m.ANSWERED), metrics.count(m.SWIPES)]),
        _graph("Searches that fail, %", [metrics.unanswered(least=1)]),
        _graph("Surveys finished, %", [_share(metrics, m.COMPLETED, m.STARTED)]),
    ]


def _made_with(metrics: AppMetrics) -> list[aws_cloudwatch.IWidget]:
    return [
        _graph("Fusions that fail, %", [_share(metrics, m.INFERENCES_FAILED, m.INFERENCES)]),
        _graph("Vectors remembered, %", [_share(metrics, m.HITS, m.LOOKUPS)]),
        _graph("Answers remembered, %", [_share(metrics, m.ANSWERED_FROM_CACHE, m.ANSWERED)]),
        _graph("Profiles not learned, %", [_share(metrics, m.UPDATES_FAILED, m.UPDATES)]),
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


def _share(metrics: AppMetrics, part: m.Measure, whole: m.Measure) -> aws_cloudwatch.IMetric:
    return metrics.percent(part, whole, least=1, otherwise=0)


def _graph(title: str, metrics: Metrics) -> aws_cloudwatch.GraphWidget:
    return aws_cloudwatch.GraphWidget(title=title, left=metrics, width=6, height=6)
