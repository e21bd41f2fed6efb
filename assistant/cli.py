"""The command line: what ``reelwise --help`` lists."""

import gc
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from pydantic import TypeAdapter

from assistant.chat.passwords import Passwords
from assistant.chat.settings import passwords_file
from assistant.commands.bench import bench
from assistant.commands.evaluate import evaluate
from assistant.commands.experiment import app as experiment_app
from assistant.commands.history import history
from assistant.commands.importing import app as import_app
from assistant.commands.key import key
from assistant.commands.sagemaker import app as sagemaker_app
from assistant.commands.scale import bench_index
from assistant.commands.system import tune
from assistant.commands.train import export_swipes, train
from assistant.commands.upkeep import backup, doctor, restore
from assistant.composition import (
    load_encoder,
    open_database,
    open_recommender,
    roll_back_index,
    text_encoder,
)
from assistant.emf import EmfExporter, exporting
from assistant.films import write_films
from assistant.logs import set_up_logs
from assistant.memory import give_back, settle, share_arenas, use_huge_pages
from assistant.refusal import mendable, refuse
from assistant.settings import Settings
from assistant.warming import POPULAR, read_queries, warm_up
from fusion.encoder import TextEncoder
from recommender import Recommender
from recommender.errors import InvalidRequest
from recommender.indexer import STARTER, STARTER_VECTORS, read_items, write_vectors
from recommender.models import SearchRequest, UserIdentifier
from recommender.settings import RecommenderSettings

LONGEST_FRAME = 2**20
"""Bytes of a message by websocket; engine.io takes no more either, but looks once it is there."""

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

app.command()(evaluate)
app.command()(tune)
app.command()(train)
app.command()(export_swipes)
app.command()(key)
app.command()(history)
app.command()(doctor)
app.command()(backup)
app.command()(restore)
app.command()(bench)
app.command()(bench_index)
app.add_typer(experiment_app, name="experiment")
app.add_typer(import_app, name="import")
app.add_typer(sagemaker_app, name="sagemaker")


@app.command()
def serve() -> None:
    """Serve the chat at / and the API at /docs, on HOST and PORT."""
    # uvicorn raises the signal again once it has shut down: leave then by way of every clean-up.
    signal.signal(signal.SIGTERM, _leave)
    with mendable():
        listener = _bound(Settings())
    gc.disable()  # what a start makes, stays: looking for garbage in it takes a second
    share_arenas()
    with (
        listener,
        _opened(behind=True) as (settings, encoder, recommender),
        _metrics_written(settings),
        _traces_sent(settings),
    ):
        gc.freeze()  # the films and all about them
        from assistant.server import create_app  # the chat takes a second to import

        web = create_app(recommender, encoder, settings)
        settle()
        config = uvicorn.Config(
            web,
            loop="auto",  # uvloop, but for Windows, which has none
            http="httptools",
            log_config=None,
            access_log=False,
            ws_max_size=LONGEST_FRAME,
            timeout_graceful_shutdown=5,
        )
        address = f"http://{_shown_host(settings.host)}:{listener.getsockname()[1]}"
        typer.echo(f"Reelwise is ready: chat at {address}/ , API at {address}/docs", err=True)
        with _beside(recommender.prepare, web.state.planner.prepare, give_back, use_huge_pages):
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def _beside(*actions: Callable[[], None]) -> Iterator[None]:
    """Have something done meanwhile, to its end: models that still run would abort the process."""
    thread = Thread(target=lambda: [action() for action in actions])
    thread.start()
    try:
        yield
    finally:
        thread.join()


@app.command()
def password(
    user: Annotated[str, typer.Argument(help="Who signs in with it.")],
) -> None:
    """Give somebody a password for the chat, asked for here; it counts with CHAT_AUTH=password."""
    with mendable():
        name = TypeAdapter(UserIdentifier).validate_python(user)
        chosen = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        Passwords(passwords_file(Settings().reelwise_home)).set(name, chosen)
        typer.echo(f"{name} can sign in with it.")


@app.command()
def migrate() -> None:
    """Bring the database's schema to this release's, as a job before servers start."""
    with mendable(), open_database(Settings()) as database:
        database.migrate()
        typer.echo("The schema is up to date.")


@app.command()
def index(
    anew: Annotated[
        bool, typer.Option("--anew", help="Every film, as for vectors of another length.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to the index of before the last switch.")
    ] = False,
) -> None:
    """Build the films' index anew where it is not up to date, switch to it, and say its size."""
    if rollback:
        with mendable():
            version = roll_back_index(Settings())
            typer.echo(f"Index {version} serves whoever starts from now on.")
        return
    with _opened(anew, asked=True) as (_, _, recommender):
        typer.echo(f"{len(recommender.films())} films are indexed.")


@app.command()
def embed() -> None:
    """Embed the starter catalogue anew, after a change of its films or of the model."""
    with mendable():
        write_vectors(STARTER_VECTORS, read_items(STARTER), load_encoder(Settings()))
        typer.echo(f"Wrote {STARTER_VECTORS}")


@app.command()
def features(
    out: Annotated[str, typer.Option(help="A folder, here or s3://…; CATALOGUE then names it.")],
    survey_size: Annotated[
        int, typer.Option(min=1, help="How many films surveys ask about first.")
    ] = 600,
    seed: Annotated[int, typer.Option(help="Of the draw of those films.")] = 0,
) -> None:
    """Write the catalogue as tables: films, their embeddings, and the survey's films."""
    with mendable():
        settings = Settings()
        encoder = text_encoder(settings, load_encoder(settings))
        films = write_films(out, settings, encoder, survey_size, seed)
        typer.echo(f"Wrote {len(films.items):,} films. Serve them with: CATALOGUE={out}")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help='What you are in the mood for; "" for anything.')],
    k: Annotated[int, typer.Option("-k", "--k", help="How many films.")] = 5,
    user: Annotated[str | None, typer.Option(help="Whose taste; default: the local user.")] = None,
) -> None:
    """Recommend films on the command line."""
    with _opened() as (settings, _, recommender):
        request = SearchRequest(user_id=user or settings.local_user_id, query=query, k=k)
        for place, item in enumerate(recommender.search(request).items, 1):
            typer.echo(f"{place}. {item.title} ({item.year}): {'; '.join(item.reason)}")


@app.command()
def warm(
    queries: Annotated[
        Path | None, typer.Option(help="A file of queries, one a line; default: popular ones.")
    ] = None,
    users: Annotated[int, typer.Option(min=0, help="For how many of those who swiped last.")] = 100,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many were made; default: go on.")
    ] = None,
) -> None:
    """Embed popular queries ahead for new and recent users, so that their searches are quick."""
    with _opened() as (_, _, recommender):
        if not RecommenderSettings().enable_embedding_cache:
            refuse("ENABLE_EMBEDDING_CACHE=false leaves nothing to warm.")
        counts = warm_up(recommender, read_queries(queries or POPULAR), users, limit)
        typer.echo(f"{counts['made']} made, {counts['known']} known already")
        if counts["failed"]:
            refuse(f"{counts['failed']} could not be made; the log says why.")


@app.command()
def trace(
    messages: Annotated[list[str], typer.Argument(help="What to say; the last one is drawn.")],
    out: Annotated[Path, typer.Option(help="The picture, SVG.")] = Path("trace.svg"),
) -> None:
    """Say something to the assistant and draw where the time went."""
    with _opened() as (settings, encoder, recommender):
        try:
            from assistant.trace_picture import waterfall
            from assistant.traced_turn import traced_turn
        except ModuleNotFoundError as error:
            refuse(f"Drawing a trace needs {error.name}: pip install -e '.[otel]'")
        from assistant.agent import agent_by_name  # LangChain takes a second to import

        agent = agent_by_name(settings.assistant_model, encoder, recommender.films())
        spans = traced_turn(agent, recommender, settings.local_user_id, messages)
        out.write_text(waterfall(spans, f"“{messages[-1]}”, one turn of the chat"))
        typer.echo(f"Wrote {out}: {len(spans)} spans")


@app.command()
def learn(
    users: Annotated[int, typer.Option(min=1, help="Of how many who swiped last.")] = 1000,
) -> None:
    """Learn from the swipes that wait for a batch to fill, so that nobody has to wait for it."""
    with _opened() as (_, _, recommender):
        people = recommender.recent_users(users)
        for person in people:
            recommender.profile(person)
        typer.echo(f"{len(people)} users are up to date.")


@contextmanager
def _opened(
    anew: bool = False, asked: bool = False, behind: bool = False
) -> Iterator[tuple[Settings, TextEncoder, Recommender]]:
    """All parts, wired; what may be said of them is ``open_recommender``'s."""
    with mendable():
        settings = Settings()
        set_up_logs(settings)
        encoder = load_encoder(settings)
        with open_recommender(settings, encoder, anew, asked, behind) as recommender:
            yield settings, encoder, recommender


def _metrics_written(settings: Settings) -> AbstractContextManager[None]:
    """Prometheus comes and reads; CloudWatch is told."""
    if settings.metrics == "prometheus":
        return nullcontext()
    return exporting(EmfExporter(settings.metrics_namespace), settings.metrics_seconds)


def _traces_sent(settings: Settings) -> AbstractContextManager[None]:
    if settings.traces == "off":
        return nullcontext()
    try:
        # OpenTelemetry is an extra, and slow to import.
        from assistant.tracing import exported, tracing

        return tracing(exported())
    except ModuleNotFoundError as error:
        refuse(f"TRACES=otlp needs {error.name}: pip install -e '.[otel]'")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise typer.Exit(0)


def _bound(settings: Settings) -> socket.socket:
    """The server's socket, taken before anything slow. Raises InvalidRequest if it is not free."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        raise InvalidRequest(
            f"Cannot serve on {settings.host}:{settings.port}: {error.strerror}. "
            "Set HOST and PORT to a free address, for example PORT=8001."
        ) from error
    return listener


def _shown_host(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "0.0.0.0") else host  # noqa: S104 - only shown


if __name__ == "__main__":
    app()
