"""What CloudWatch is told by the application and by AWS, and what of it must not happen.

The application's metrics, and what each alarm divides by what, are described in
``recommender/telemetry.py``; here they are by the names that CloudWatch gets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aws_cdk import Duration, aws_cloudwatch
from aws_cdk.aws_cloudwatch import ComparisonOperator as Is
from constructs import Construct

from infra.process_settings import namespace

PERIOD = Duration.minutes(5)


@dataclass(frozen=True)
class Measure:
    """One of the application's metrics, perhaps of one value of a label alone."""

    name: str
    label: dict[str, str] = field(default_factory=dict)
    statistic: str = "Sum"


SEARCH_SECONDS = "reelwise_search_seconds"
ANSWERED = Measure(SEARCH_SECONDS, statistic="SampleCount")
ANSWERED_FROM_CACHE = Measure(SEARCH_SECONDS, {"cached": "true"}, "SampleCount")
UNANSWERED = Measure("reelwise_search_failures_total")
SWIPES = Measure("reelwise_swipes_total")
INFERENCES = Measure("reelwise_inferences_total")
INFERENCES_FAILED = Measure("reelwise_inferences_total", {"outcome": "failed"})
LOOKUPS = Measure("reelwise_embedding_cache_total")
HITS = Measure("reelwise_embedding_cache_total", {"outcome": "hit"})
UPDATES = Measure("reelwise_preference_updates_total")
UPDATES_FAILED = Measure("reelwise_preference_updates_total", {"outcome": "failed"})
STARTED = Measure("reelwise_surveys_total", {"event": "started"})
COMPLETED = Measure("reelwise_surveys_total", {"event": "completed"})
REQUESTS = Measure("reelwise_http_requests_total")
REQUESTS_FAILED = Measure("reelwise_http_failures_total")


class AppMetrics:
    """The application's metrics of one environment."""

    def __init__(self, environment: str) -> None:
        self._namespace = namespace(environment)

    def count(self, measure: Measure, period: Duration = PERIOD) -> aws_cloudwatch.Metric:
        """How many in a period."""
        return aws_cloudwatch.Metric(
            namespace=self._namespace,
            metric_name=measure.name,
            dimensions_map=measure.label,
            statistic=measure.statistic,
            period=period,
        )

    def seconds(self, statistic: str) -> aws_cloudwatch.Metric:
        """Of searches, a percentile such as ``p95``."""
        return self.count(Measure(SEARCH_SECONDS, statistic=statistic))

    def percent(
        self,
        part: Measure,
        whole: Measure,
        least: int,
        otherwise: int,
        period: Duration = PERIOD,
    ) -> aws_cloudwatch.MathExpression:
        """100 * part / whole; ``otherwise`` where ``whole`` is below ``least``, as at night."""
        return aws_cloudwatch.MathExpression(
            expression=f"IF(whole >= {least}, 100 * FILL(part, 0) / whole, {otherwise})",
            using_metrics={"part": self.count(part, period), "whole": self.count(whole, period)},
            label=f"{part.name} {' '.join(part.label.values())}, %",
            period=period,
        )

    def unanswered(self, least: int) -> aws_cloudwatch.MathExpression:
        """Of all searches, the percentage that failed: those are not among the answered."""
        return aws_cloudwatch.MathExpression(
            expression="IF(FILL(answered, 0) + FILL(failed, 0) >= "
            f"{least}, 100 * FILL(failed, 0) / (FILL(answered, 0) + FILL(failed, 0)), 0)",
            using_metrics={"answered": self.count(ANSWERED), "failed": self.count(UNANSWERED)},
            label="searches that fail, %",
            period=PERIOD,
        )


@dataclass(frozen=True)
class Rule:
    """An alarm: what is watched, when it is too much, and what that means to people."""

    id: str
    metric: aws_cloudwatch.IMetric
    comparison: aws_cloudwatch.ComparisonOperator
    threshold: float
    means: str
    periods: int = 3


def rules(metrics: AppMetrics) -> Sequence[Rule]:
    """The alarms on what the application counts."""
    above, below = Is.GREATER_THAN_THRESHOLD, Is.LESS_THAN_THRESHOLD
    day = Duration.days(1)
    return (
        Rule(
            "SlowSearches",
            metrics.seconds("p95"),
            above,
            0.8,
            "One search in twenty takes longer than 800 ms.",
        ),
        Rule(
            "InferenceFailures",
            metrics.percent(INFERENCES_FAILED, INFERENCES, 20, 0),
            above,
            3,
            "More than 3 % of fusions fail: those searches do without.",
        ),
        Rule(
            "ColdEmbeddingCache",
            metrics.percent(HITS, LOOKUPS, 100, 100),
            below,
            60,
            "Fewer than 60 % of searches find their vector remembered.",
            periods=6,
        ),
        Rule(
            "PreferenceFailures",
            metrics.percent(UPDATES_FAILED, UPDATES, 20, 0),
            above,
            5,
            "More than 5 % of profiles could not be learned: swipes are kept, answers lag behind.",
        ),
        Rule(
            "SurveysLeft",
            metrics.percent(COMPLETED, STARTED, 20, 100, day),
            below,
            60,
            "Fewer than 60 % of the people who began the survey finished it.",
            periods=1,
        ),
        Rule(
            "SearchErrors",
            metrics.unanswered(20),
            above,
            2,
            "More than 2 % of searches fail.",
        ),
        Rule(
            "RestErrors",
            metrics.percent(REQUESTS_FAILED, REQUESTS, 50, 0),
            above,
            1,
            "More than 1 % of REST requests fail.",
        ),
    )


def endpoint_rule(endpoint: str, variant: str) -> Rule:
    """More than 1 % of calls of a SageMaker variant end in an error of its own."""

    def count(name: str) -> aws_cloudwatch.Metric:
        return aws_cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            statistic="Sum",
            period=PERIOD,
            dimensions_map={"EndpointName": endpoint, "VariantName": variant},
        )

    share = aws_cloudwatch.MathExpression(
        expression="IF(calls >= 20, 100 * FILL(errors, 0) / calls, 0)",
        using_metrics={"errors": count("Invocation5XXErrors"), "calls": count("Invocations")},
        label=f"{variant}: errors, %",
        period=PERIOD,
    )
    means = "More than 1 % of the endpoint's calls fail: those searches do without the fusion."
    return Rule("EndpointErrors", share, Is.GREATER_THAN_THRESHOLD, 1, means)


def alarm(scope: Construct, rule: Rule) -> aws_cloudwatch.Alarm:
    """The alarm of a rule; where nothing is measured, nothing is wrong."""
    return aws_cloudwatch.Alarm(
        scope,
        rule.id,
        alarm_description=rule.means,
        metric=rule.metric,
        comparison_operator=rule.comparison,
        threshold=rule.threshold,
        evaluation_periods=rule.periods,
        datapoints_to_alarm=rule.periods,
        treat_missing_data=aws_cloudwatch.TreatMissingData.NOT_BREACHING,
    )
