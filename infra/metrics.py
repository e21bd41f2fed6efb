"""What CloudWatch is told by the application and by AWS, and what of it must not happen.

The application's metrics are counts and milliseconds in one namespace, without dimensions, summed
over all of an environment's processes. Each environment has an account, or a namespace, of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration, aws_cloudwatch
from aws_cdk.aws_cloudwatch import ComparisonOperator as Is
from constructs import Construct

PERIOD = Duration.minutes(5)


@dataclass(frozen=True)
class Names:
    """The application's metrics, by the names that it writes."""

    search_milliseconds: str = "search_latency_ms"
    searches: str = "searches"
    search_errors: str = "search_errors"
    inferences: str = "fusion_inferences"
    inference_failures: str = "fusion_inference_failures"
    embedding_hits: str = "embedding_cache_hits"
    embedding_lookups: str = "embedding_cache_lookups"
    preference_updates: str = "preference_updates"
    preference_failures: str = "preference_update_failures"
    surveys_started: str = "surveys_started"
    surveys_completed: str = "surveys_completed"
    swipes: str = "swipes"
    search_hits: str = "search_cache_hits"


NAMES = Names()


def namespace(environment: str) -> str:
    """Where an environment's metrics are."""
    return f"Reelwise/{environment}"


class AppMetrics:
    """The application's metrics of one environment."""

    def __init__(self, environment: str) -> None:
        self._namespace = namespace(environment)

    def count(self, name: str, period: Duration = PERIOD) -> aws_cloudwatch.Metric:
        """How many in a period."""
        return self._metric(name, "Sum", period)

    def milliseconds(self, name: str, statistic: str) -> aws_cloudwatch.Metric:
        """A percentile, such as ``p95``."""
        return self._metric(name, statistic, PERIOD)

    def percent(
        self, part: str, whole: str, least: int, otherwise: int, period: Duration = PERIOD
    ) -> aws_cloudwatch.MathExpression:
        """100 * part / whole; ``otherwise`` where ``whole`` is below ``least``, as at night."""
        return aws_cloudwatch.MathExpression(
            expression=f"IF(whole >= {least}, 100 * FILL(part, 0) / whole, {otherwise})",
            using_metrics={"part": self.count(part, period), "whole": self.count(whole, period)},
            label=f"{part} of {whole}, %",
            period=period,
        )

    def _metric(self, name: str, statistic: str, period: Duration) -> aws_cloudwatch.Metric:
        return aws_cloudwatch.Metric(
            namespace=self._namespace, metric_name=name, statistic=statistic, period=period
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
            metrics.milliseconds(NAMES.search_milliseconds, "p95"),
            above,
            800,
            "One search in twenty takes longer than 800 ms.",
        ),
        Rule(
            "InferenceFailures",
            metrics.percent(NAMES.inference_failures, NAMES.inferences, 20, 0),
            above,
            3,
            "More than 3 % of fusions fail: those searches do without.",
        ),
        Rule(
            "ColdEmbeddingCache",
            metrics.percent(NAMES.embedding_hits, NAMES.embedding_lookups, 100, 100),
            below,
            60,
            "Fewer than 60 % of searches find their vector remembered.",
            periods=6,
        ),
        Rule(
            "PreferenceFailures",
            metrics.percent(NAMES.preference_failures, NAMES.preference_updates, 20, 0),
            above,
            5,
            "More than 5 % of profiles could not be learned: swipes are kept, answers lag behind.",
        ),
        Rule(
            "SurveysLeft",
            metrics.percent(NAMES.surveys_completed, NAMES.surveys_started, 20, 100, day),
            below,
            60,
            "Fewer than 60 % of the people who began the survey finished it.",
            periods=1,
        ),
        Rule(
            "SearchErrors",
            metrics.percent(NAMES.search_errors, NAMES.searches, 20, 0),
            above,
            2,
            "More than 2 % of searches fail.",
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
