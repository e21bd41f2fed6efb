"""What the load test's report says of samples that are known."""

import pytest

from tests.load.arrivals import live
from tests.load.people import Action
from tests.load.report import cores, figures, percentiles, recovery, table
from tests.load.resources import Reading
from tests.load.samples import Failed, Outcome, Recorder, Refused, Sample


def sample(due: float, seconds: float = 0.01, outcome: Outcome = "ok") -> Sample:
    return Sample("search", due, 0.0, seconds, outcome, "500" if outcome == "failed" else "")


def lines_of(samples: list[Sample], servers: int) -> list[str]:
    return list(table(figures(samples, READINGS, 10) | {"plan": {"servers": servers}}))


READINGS = [Reading(0, 1, 0, 1, 1, 300, 50), Reading(10, 16, 5, 2, 3, 310, 60)]


def test_percentiles_are_of_those_that_were_served() -> None:
    samples = [sample(n, n / 1000) for n in range(1, 101)]
    everyone = figures([*samples, sample(0, 9, "failed")], READINGS, 10)["latencies"]["all"]
    assert everyone["n"] == 101
    assert everyone["failed"] == 1
    assert everyone["p50"] == pytest.approx(50, abs=1)
    assert everyone["p95"] == pytest.approx(95, abs=1)
    assert everyone["max"] == pytest.approx(100)


def test_of_one_value_all_percentiles_are_that_value() -> None:
    assert percentiles([7.0]) == (7.0, 7.0, 7.0)
    assert percentiles([]) == (0.0, 0.0, 0.0)


def test_cores_are_processor_time_over_time() -> None:
    assert cores(READINGS) == {
        "server": 1.5,
        "balancer": 0.5,
        "database": 0.1,
        "client": 0.2,
    }


def test_recovery_ends_with_the_last_who_was_refused_or_waited() -> None:
    steps = (0, 100, 10, 300, 20, 100, 40)
    samples = [sample(5), sample(12, 0.001, "refused"), sample(23.5, 0.4), sample(30)]
    told = recovery(samples, steps, limit=0.3)
    assert told["recovered_after"] == 3.5
    assert [step["refused"] for step in told["steps"]] == [0, 1, 0]
    assert recovery(samples[:1], steps, limit=0.3)["recovered_after"] == 0


def test_the_table_names_what_failed() -> None:
    assert "1 × 500" in lines_of([sample(1), sample(2, 1, "failed")], servers=1)


def test_the_table_says_of_how_many_servers_it_is() -> None:
    one, two = (lines_of([sample(1)], servers) for servers in (1, 2))
    assert "server: 1.50 cores" in one
    assert not [line for line in one if line.startswith("balancer")]
    assert {"2 servers together: 1.50 cores", "balancer: 0.50 cores"} <= set(two)
    assert "2 servers together: 300 MiB at first, 310 at last, 310 at most" in two


class Quick:
    def next_action(self) -> Action:
        return "quick", self._act

    async def _act(self) -> None:
        pass


async def test_an_action_that_had_to_wait_counts_from_when_it_was_due() -> None:
    recorder = Recorder()
    recorder.started -= 100  # the run's clock shows 100 seconds: all are overdue
    await live(recorder, Quick(), first=0, every=10, end=50)
    assert [each.due for each in recorder.samples] == [0, 10, 20, 30, 40]
    assert all(each.seconds >= each.late >= 50 for each in recorder.samples)


async def test_refusals_and_failures_are_told_apart() -> None:
    async def refuse() -> None:
        raise Refused("503")

    async def fail() -> None:
        raise Failed("500")

    recorder = Recorder()
    await recorder.record(0, "a", refuse)
    await recorder.record(0, "b", fail)
    assert [(each.outcome, each.detail) for each in recorder.samples] == [
        ("refused", "503"),
        ("failed", "Failed: 500"),
    ]
