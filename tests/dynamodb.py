"""DynamoDB for tests: moto's server, and AWS's own DynamoDB Local where Java and its jar are."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from threading import Thread
from uuid import uuid4

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from tenacity import retry, stop_after_delay, wait_fixed
from werkzeug.serving import make_server

from recommender.stores.dynamodb.tables import SHAPES, Tables, connect

LOCAL = Path(os.environ.get("DYNAMODB_LOCAL", Path(__file__).parents[1] / ".dynamodb-local"))
JAR = LOCAL / "DynamoDBLocal.jar"


def why_not_local() -> str | None:
    """What DynamoDB Local lacks here, if anything."""
    if which("java") is None:
        return "there is no Java"
    return None if JAR.is_file() else f"there is no {JAR.name}: make dynamodb-local"


@contextmanager
def moto() -> Iterator[str]:
    """The address of an empty moto."""
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, app, threaded=False)  # its transactions are not safe
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """The address of an empty DynamoDB Local."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            *("java", f"-Djava.library.path={LOCAL / 'DynamoDBLocal_lib'}", "-jar", str(JAR)),
            *("-inMemory", "-sharedDb", "-port", str(port)),
        ],
        cwd=LOCAL,  # it leaves a file where it starts
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _answering(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def new_tables(url: str) -> Tables:
    """Empty tables with names of their own."""
    client = boto3.client("dynamodb", endpoint_url=url)
    names = {name: f"{name}-{uuid4().hex}" for name in SHAPES}
    for name, shape in SHAPES.items():
        client.create_table(**shape.definition(names[name]))
    return connect(names, url, timeout=30)


@retry(stop=stop_after_delay(60), wait=wait_fixed(0.2))
def _answering(url: str) -> None:
    boto3.client("dynamodb", endpoint_url=url).list_tables()
