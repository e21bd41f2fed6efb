"""What infra/README.md shows is what the commands print."""

import re
from pathlib import Path

from infra.cost.estimate import FILMS, LOADS, costs, per_search, table
from infra.diagram import arrows, dot, read
from infra.resources import table as resources
from tests.aws.assembly import Assembly

README = (Path(__file__).parents[2] / "infra" / "README.md").read_text()


def test_the_costs_are_those_of_the_estimate() -> None:
    shown = README.partition("<!-- costs:begin -->\n")[2].partition("<!-- costs:end -->")[0]
    assert shown.strip() == table()


def test_a_recommendation_costs_less_than_a_cent() -> None:
    assert [load.searches_per_day for load in LOADS] == [1_000, 100_000, 10_000_000]
    for load in LOADS:
        search = per_search(load, costs(load))
        assert 0 < search / FILMS < search < 0.01


def test_the_number_of_resources_is_counted(prod: Assembly) -> None:
    [total] = re.findall(r"\| all \| (\d+) \|", resources(prod.folder))
    assert f"{total} in `prod`" in README


def test_every_alarm_is_in_the_runbook(prod: Assembly) -> None:
    runbook = README.partition("**Alarms.**")[2].partition("## ")[0]
    heard = [
        name.partition("/")[2][:-8]  # without the hash of its logical id
        for name, each in prod.properties("AWS::CloudWatch::Alarm").items()
        if "AlarmActions" in each
    ]
    for name in heard:
        known = name.removeprefix("Fusion").replace("CanaryFailing", "Canary Failing")
        assert known in runbook or (known.endswith("Throttled") and "…Throttled" in runbook), name


def test_the_diagram_draws_who_serves_whom(prod: Assembly) -> None:
    kinds = {id: each.kind.rpartition("::")[2] for id, each in read(prod.folder).items()}
    drawn = {(kinds[start], kinds[end]) for start, end in arrows(prod.folder)}
    assert {
        ("WebACL", "LoadBalancer"),
        ("LoadBalancer", "Service"),
        ("Service", "DBCluster"),
        ("Service", "Table"),
        ("Service", "Endpoint"),
        ("Api", "Alias"),
        ("Alias", "Table"),
        ("Schedule", "Pipeline"),
        ("Pipeline", "ModelPackageGroup"),
    } <= drawn
    assert ("Table", "Service") not in drawn
    assert dot(prod.folder).startswith("digraph")
