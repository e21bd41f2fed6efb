"""The alarms that operations asked for, with their limits, and where they are heard."""

import json
import re

import pytest
from prometheus_client import REGISTRY

from assistant.api import metrics as of_http
from recommender import telemetry as of_the_domain
from tests.aws.assembly import Assembly, Properties

LIMITS = {
    "SlowSearches": ("GreaterThanThreshold", 0.8),  # seconds
    "InferenceFailures": ("GreaterThanThreshold", 3),
    "ColdEmbeddingCache": ("LessThanThreshold", 60),
    "EndpointErrors": ("GreaterThanThreshold", 1),
    "PreferenceFailures": ("GreaterThanThreshold", 5),
    "SurveysLeft": ("LessThanThreshold", 60),
    "SearchErrors": ("GreaterThanThreshold", 2),
    "RestErrors": ("GreaterThanThreshold", 1),
}


@pytest.mark.parametrize("name", LIMITS)
def test_an_alarm_has_the_limit_that_was_asked_for(prod: Assembly, name: str) -> None:
    alarm = _alarm(prod, name)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == LIMITS[name]
    assert alarm["AlarmDescription"]
    assert alarm["AlarmActions"]


def test_slow_searches_are_told_by_the_95th_percentile(prod: Assembly) -> None:
    alarm = _alarm(prod, "SlowSearches")
    assert alarm["ExtendedStatistic"] == "p95"
    assert alarm["MetricName"] == "reelwise_search_seconds"
    assert alarm["Namespace"] == "Reelwise/prod"


def test_a_share_is_of_what_was_asked_and_silent_at_night(prod: Assembly) -> None:
    metrics = _alarm(prod, "InferenceFailures")["Metrics"]
    asked = {each["Id"]: each["MetricStat"]["Metric"] for each in metrics if "MetricStat" in each}
    assert asked["whole"]["MetricName"] == asked["part"]["MetricName"]
    assert asked["part"]["Dimensions"] == [{"Name": "outcome", "Value": "failed"}]
    assert "Dimensions" not in asked["whole"]
    [share] = [each["Expression"] for each in metrics if "Expression" in each]
    assert share == "IF(whole >= 20, 100 * FILL(part, 0) / whole, 0)"


DEFINED_IN = (of_http, of_the_domain)
"""Importing them defines the application's metrics."""


def test_the_application_writes_every_metric_that_is_watched(prod: Assembly) -> None:
    written = set()
    for family in REGISTRY.collect():
        if family.name.startswith("reelwise_"):
            written.add(family.name if family.type == "histogram" else f"{family.name}_total")
    watched = set(re.findall(r"reelwise_\w+", json.dumps(prod.templates["watch"])))
    assert len(watched) >= 8
    assert watched <= written


def test_a_silent_cache_or_survey_does_not_count_as_a_bad_one(prod: Assembly) -> None:
    for name in ("ColdEmbeddingCache", "SurveysLeft"):
        [share] = [m["Expression"] for m in _alarm(prod, name)["Metrics"] if "Expression" in m]
        assert share.endswith(", 100)")


def test_only_alarms_that_steer_deployments_are_heard_by_nobody(
    assemblies: dict[str, Assembly],
) -> None:
    for assembly in assemblies.values():
        alarms = assembly.properties("AWS::CloudWatch::Alarm")
        silent = {name.split("/")[0] for name, each in alarms.items() if "AlarmActions" not in each}
        assert silent == {"chat", "rest"}


def test_every_alarm_that_is_heard_is_on_the_dashboard(prod: Assembly) -> None:
    heard = [
        each
        for each in prod.properties("AWS::CloudWatch::Alarm").values()
        if "AlarmActions" in each
    ]
    body = str(prod.one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    shown = body.partition('"alarms":[')[2].partition('"type":"metric"')[0]
    assert shown.count("'Fn::GetAtt'") + shown.count("'Fn::ImportValue'") == len(heard)


def test_the_canary_walks_every_five_minutes_signed_in(prod: Assembly) -> None:
    canary = prod.one("AWS::Synthetics::Canary")
    assert canary["Schedule"]["Expression"] == "rate(5 minutes)"
    assert canary["Code"]["Handler"] == "canary.handler"
    variables = canary["RunConfig"]["EnvironmentVariables"]
    assert variables["API_URL"] == "https://api.reelwise.example"
    assert "CLIENT_SECRET" in variables


def test_the_budget_warns_before_the_money_is_gone(prod: Assembly) -> None:
    budget = prod.one("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 2500, "Unit": "USD"}
    limits = [each["Notification"] for each in budget["NotificationsWithSubscribers"]]
    assert min(limit["Threshold"] for limit in limits) < 100


def _alarm(assembly: Assembly, name: str) -> Properties:
    alarms = assembly.properties("AWS::CloudWatch::Alarm")
    [alarm] = [each for key, each in alarms.items() if name in key]
    return alarm
