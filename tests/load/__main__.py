"""``python -m tests.load --help``."""

import asyncio
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from aiohttp import ClientSession, TCPConnector

from tests import nginx
from tests.load.arrivals import Acting, crowd, live
from tests.load.chatters import USER_HEADER, Chatter, client
from tests.load.people import SWIPES_BEFORE, Person, wishes
from tests.load.plot import draw
from tests.load.report import Figures, figures, recovery, table
from tests.load.resources import Measured, Reading, stand_still, watch
from tests.load.samples import Recorder
from tests.processes import no_process_left, serving

LIMIT = 0.3
"""Seconds that 95 of a hundred answers are to stay under."""
AT_ONCE = 8
"""Requests under way while people get their first swipes."""
OPEN_FOR_CLIENT_SECONDS = 3
"""Less than a server keeps an idle connection: it never closes one that is about to be used."""


@dataclass(frozen=True)
class Plan:
    """How many servers, people, and of them in chats; how long, and how often each acts."""

    servers: int
    users: int
    chatting: int
    seconds: float
    every: float
    overload: float | None
    standstill: float

    @property
    def steps(self) -> Sequence[float]:
        """Before, rush and after, as ``crowd`` takes them; the last half shows recovery."""
        usual = (self.users - self.chatting) / self.every
        rush = usual * (self.overload or 1)
        quarter = self.seconds / 4
        return (0, usual, quarter, rush, 2 * quarter, usual, self.seconds)


def main(
    out: Annotated[Path, typer.Option(help="A folder for the report.")] = Path("test-artifacts"),
    servers: Annotated[int, typer.Option(min=1, help="Servers; several are behind nginx.")] = 1,
    users: Annotated[int, typer.Option(min=2, help="People.")] = 1000,
    chatting: Annotated[int, typer.Option(min=0, help="Of them, on the chat's sockets.")] = 100,
    seconds: Annotated[float, typer.Option(min=1, help="How long.")] = 600.0,
    every: Annotated[float, typer.Option(help="Seconds from an action of one's to the next.")] = 5,
    overload: Annotated[
        float | None,
        typer.Option(help="In the second quarter, so many times as many, come what may."),
    ] = None,
    standstill: Annotated[
        float, typer.Option(min=0, help="In the middle PostgreSQL stands still, seconds.")
    ] = 0,
) -> None:
    """Start servers on a fresh folder and put them under load.

    Their settings are taken from the environment. Exit code 1: an action failed or, without
    --overload, was refused, or 5 of 100 took longer than 300 ms.
    """
    if servers > 1 and nginx.program() is None:
        raise typer.BadParameter(f"Several servers are balanced by nginx, and {nginx.ABSENT}")
    plan = Plan(servers, users, min(chatting, users), seconds, every, overload, standstill)
    out.mkdir(parents=True, exist_ok=True)
    with served(servers) as measured:
        recorder, readings = asyncio.run(run(measured, plan))
        copy(measured.servers[0].log, out / "load.log")
    report = figures(recorder.samples, readings, seconds) | {"plan": asdict(plan)}
    if overload:
        report["overload"] = recovery(recorder.samples, plan.steps, LIMIT)
    (out / "load.json").write_text(json.dumps(report, indent=1) + "\n")
    draw(recorder.samples, readings, LIMIT, out / "load.svg", bin_seconds=1 if overload else 5)
    for line in table(report):
        typer.echo(line)
    if not met(report):
        raise typer.Exit(1)


def met(report: Figures) -> bool:
    """Whether nobody was failed and, without an overload, none refused and p95 is under LIMIT."""
    everyone = report["latencies"]["all"]
    if "overload" in report:
        return not everyone["failed"]
    return not everyone["failed"] + everyone["refused"] and everyone["p95"] < 1000 * LIMIT


@contextmanager
def served(count: int) -> Iterator[Measured]:
    """Servers of their own, which tell people apart by a header; quotas are per address."""
    settings = {
        "CHAT_AUTH": "header",
        "CHAT_AUTH_HEADER": USER_HEADER,
        "RATE_LIMIT_PER_ADDRESS": os.environ.get("RATE_LIMIT_PER_ADDRESS", "1000000/minute"),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "warning"),
    }
    with TemporaryDirectory() as folder, ExitStack() as stack:
        home = Path(folder) / "home"
        stack.enter_context(no_process_left(home))
        servers = [stack.enter_context(serving(home, **settings)) for _ in range(count)]
        balancer = None
        if count > 1:
            ports = [server.port for server in servers]
            balancer = stack.enter_context(nginx.balancing(Path(folder) / "nginx", ports))
        yield Measured(servers, balancer, home)


async def run(measured: Measured, plan: Plan) -> tuple[Recorder, list[Reading]]:
    """Everybody arrives, and then acts."""
    url = (measured.balancer or measured.servers[0]).url
    connector = TCPConnector(limit=0, keepalive_timeout=OPEN_FOR_CLIENT_SECONDS)
    async with connector, client(url, connector) as http, AsyncExitStack() as stack:
        films, asked = await some_films(http), wishes()
        people = [
            Person(http, f"load-{number}", films, asked)
            for number in range(plan.users - plan.chatting)
        ]
        await swipe_before(people)
        chatters = []
        for number in range(plan.chatting):
            own = await stack.enter_async_context(client(url, connector))
            chatters.append(Chatter(own, f"chat-{number}", films, asked))
            await chatters[-1].connect(url)
            stack.push_async_callback(chatters[-1].leave)
        typer.echo(f"{len(people)} people and {len(chatters)} in chats are there", err=True)
        recorder = Recorder()
        watching = asyncio.create_task(watch(recorder, measured))
        doing = [everybody(recorder, people, chatters, plan)]
        if plan.standstill:
            doing.append(stand_still(recorder, measured, plan.seconds / 2, plan.standstill))
        await asyncio.gather(*doing)
        watching.cancel()
        return recorder, await watching


async def everybody(
    recorder: Recorder, people: Sequence[Acting], chatters: Sequence[Acting], plan: Plan
) -> None:
    """Each by their own clock or, in an overload, those who do not chat as a crowd.

    The clocks of either group are spread evenly: else all who chat would speak at one time.
    """
    by_clock = [chatters] if plan.overload else [people, chatters]
    lives = [
        live(recorder, who, plan.every * number / len(group), plan.every, plan.seconds)
        for group in by_clock
        for number, who in enumerate(group)
    ]
    if plan.overload:
        lives.append(crowd(recorder, people, plan.steps))
    await asyncio.gather(*lives)


async def some_films(http: ClientSession) -> list[str]:
    """Ids of films there are."""
    found: dict[str, None] = {}
    for query in ("", "comedy", "crime", "war", "love", "space"):
        body = {"user_id": "load", "query": query, "k": 100}
        async with http.post("/search", json=body) as response:
            found |= dict.fromkeys(film["item_id"] for film in (await response.json())["items"])
    return list(found)


async def swipe_before(people: Sequence[Person]) -> None:
    """The taste that people come with."""
    waiting = [
        person
        for number, person in enumerate(people)
        for _ in range(SWIPES_BEFORE[number % len(SWIPES_BEFORE)])
    ]

    async def worker() -> None:
        while waiting:
            await waiting.pop().swipe()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    typer.run(main)
