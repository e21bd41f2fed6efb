"""The cost of a month by searches a day: ``python -m infra.cost.estimate`` prints a table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from infra.cost import prices as p
from infra.environment import ENVIRONMENTS, Environment

DAYS = 30.4
FILMS = 10
"""Recommendations in an answer."""


@dataclass(frozen=True)
class Habits:
    """What a search brings with it. Assumptions, but for the milliseconds, which are measured."""

    peak: float = 3.0  # the busiest hour, of the mean
    through_chat: float = 0.3  # the rest comes over REST
    swipes: float = 0.5
    explanations: float = 0.1
    searches_per_user: float = 20.0  # a month
    vectors_known: float = 0.6  # embedding cache hits, the least before an alarm
    seconds: float = 0.08  # of a function, with its waiting
    searches_per_task: float = 10.0  # a second, at 60 % of a processor
    searches_per_unit: float = 25.0  # a second, of Aurora
    fusions_per_instance: float = 50.0  # a second
    reads: float = 6.0  # of DynamoDB, 4 KB each
    writes: float = 5.0  # of 1 KB: both caches, and swipes
    kilobytes_out: float = 12.0
    kilobytes_of_logs: float = 1.0


@dataclass(frozen=True)
class Load:
    """So many searches a day in an environment."""

    searches_per_day: int
    environment: Environment
    habits: Habits = Habits()

    @property
    def month(self) -> float:
        """Searches in a month."""
        return self.searches_per_day * DAYS

    @property
    def requests(self) -> float:
        """All requests of a month."""
        return self.month * (1 + self.habits.swipes + self.habits.explanations)

    @property
    def per_second(self) -> float:
        """Searches in a second of the busiest hour."""
        return self.searches_per_day / 86_400 * self.habits.peak


LOADS = (
    Load(1_000, ENVIRONMENTS["dev"]),
    Load(100_000, ENVIRONMENTS["stage"]),
    Load(10_000_000, ENVIRONMENTS["prod"]),
)


def costs(load: Load) -> dict[str, float]:
    """US dollars a month, by what they are paid for."""
    return {
        "Fargate: chat": _tasks(load),
        "Lambda and API Gateway: REST": _rest(load),
        "Load balancer and WAF": _doors(load),
        "Cognito Plus": load.month / load.habits.searches_per_user * p.USER,
        "Aurora": _database(load),
        "DynamoDB": _tables(load),
        "SageMaker": _models(load),
        "Network": _network(load),
        "Logs, metrics, canary, keys": _watching(load),
    }


def _tasks(load: Load) -> float:
    mean = load.per_second / load.habits.peak * load.habits.through_chat
    tasks = max(load.environment.chat_tasks[0], mean / load.habits.searches_per_task)
    return tasks * p.HOURS * (p.FARGATE_CPU_HOUR + 2 * p.FARGATE_GB_HOUR)


def _rest(load: Load) -> float:
    gigabytes, through_rest = 3008 / 1024, load.requests * (1 - load.habits.through_chat)
    used = through_rest * load.habits.seconds * gigabytes * p.LAMBDA_GB_SECOND
    ready = load.environment.warm_functions * gigabytes * p.HOURS * 3600 * p.LAMBDA_READY_GB_SECOND
    return used + ready + through_rest / 1e6 * (p.LAMBDA_MILLION + p.GATEWAY_MILLION)


def _doors(load: Load) -> float:
    through_chat = load.requests * load.habits.through_chat
    units = max(1, through_chat * load.habits.kilobytes_out / 1e6 / p.HOURS)
    balancer = p.HOURS * (p.BALANCER_HOUR + units * p.BALANCER_UNIT_HOUR)
    firewall = p.FIREWALL + 4 * p.FIREWALL_RULE + through_chat / 1e6 * p.FIREWALL_MILLION
    return balancer + firewall


def _database(load: Load) -> float:
    least, _ = load.environment.database_acus
    mean = load.per_second / load.habits.peak / load.habits.searches_per_unit
    units = max(least, mean) + load.environment.database_readers * least
    return units * p.HOURS * p.AURORA_UNIT_HOUR + 10 * p.AURORA_GB + p.AURORA_MILLION_IO


def _tables(load: Load) -> float:
    stored = load.month * load.habits.swipes * 0.5e-6  # half a kilobyte a swipe
    reads = load.requests * load.habits.reads / 1e6 * p.DYNAMODB_MILLION_READS
    writes = load.requests * load.habits.writes / 1e6 * p.DYNAMODB_MILLION_WRITES
    return reads + writes + stored * p.DYNAMODB_GB


def _models(load: Load) -> float:
    weekly_hour = DAYS / 7 * p.TRAINING_SPOT_HOUR
    size = load.environment.endpoint
    if size is None:
        return weekly_hour
    asked = load.per_second * (1 - load.habits.vectors_known)
    instances = max(size.least, math.ceil(asked / load.habits.fusions_per_instance))
    return instances * p.HOURS * p.ENDPOINT_HOUR[size.instance_type] + weekly_hour


def _network(load: Load) -> float:
    gateways = load.environment.nat_gateways
    addresses = gateways + load.environment.zones
    out = load.requests * load.habits.kilobytes_out / 1e6 * p.OUT_GB
    calls = load.month * 0.02 / 1e3 * p.NAT_GB  # to the endpoint and to KMS: 20 KB a search
    return p.HOURS * (gateways * p.NAT_HOUR + addresses * p.ADDRESS_HOUR) + out + calls


def _watching(load: Load) -> float:
    logs = load.requests * load.habits.kilobytes_of_logs / 1e6 * p.LOGS_GB
    fixed = 18 * p.ALARM + 30 * p.METRIC + p.DASHBOARD + p.KEY + 4 * p.SECRET
    canary = DAYS * 24 * 12 * p.CANARY_RUN
    return logs + fixed + canary + load.requests / 1e4 * p.KEY_10_000 * 0.1 + 5 * p.ECR_GB


def table() -> str:
    """Markdown: a row for what is paid for, a column for each load."""
    columns = [costs(load) for load in LOADS]
    head = [f"{load.searches_per_day:,} a day ({load.environment.name})" for load in LOADS]
    rows = [["US dollars a month", *head], ["---"] + ["---:"] * len(LOADS)]
    rows += [[name, *(f"{column[name]:,.0f}" for column in columns)] for name in columns[0]]
    rows.append(["**together**", *(f"**{sum(column.values()):,.0f}**" for column in columns)])
    each = [per_search(load, column) for load, column in zip(LOADS, columns, strict=True)]
    rows.append(["a search", *(f"${cost:.5f}" for cost in each)])
    rows.append(["a recommendation", *(f"${cost / FILMS:.6f}" for cost in each)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def per_search(load: Load, paid: Mapping[str, float]) -> float:
    """US dollars."""
    return sum(paid.values()) / load.month


if __name__ == "__main__":
    print(table())
