"""TLS and IAM sign-in, on a real server with certificates made here."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import trustme
from sqlalchemy import make_url, text
from typer.testing import CliRunner, Result

from assistant.cli import app
from recommender.errors import InvalidRequest, StoreUnavailable
from recommender.stores.postgres import Access, Database, access
from recommender.stores.postgres.access import IamToken
from tests.fusion_container import aws_environment
from tests.postgres import EMBEDDED, Cluster, cluster_folder, debian, running

CLUSTER_HBA = """
local   all all                  trust
hostssl all ann   127.0.0.1/32   password
hostssl all all   127.0.0.1/32   trust
"""


@dataclass
class Server:
    """A server that takes nothing but TLS over the network."""

    cluster: Cluster
    port: int
    ca: Path
    other_ca: Path

    def url(self, host: str = "localhost", user: str = "postgres") -> str:
        return f"postgresql+psycopg://{user}@{host}:{self.port}/postgres"

    def tell(self, statement: str) -> None:
        connected = psycopg.connect(
            f"host={self.cluster.folder} port={self.port} user=postgres", autocommit=True
        )
        with connected as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    programs = debian()
    if programs is None:
        pytest.skip("the embedded PostgreSQL has no TLS, and there is no other: apt's postgresql")
    ca, other = trustme.CA(), trustme.CA()
    certificate = ca.issue_cert("localhost")
    with cluster_folder() as folder:
        port = free_port()
        chain, key = folder / "server.pem", folder / "server.key"
        made = Cluster(
            programs,
            folder / "server",
            f"-h 127.0.0.1 -p {port} -c ssl=on -c ssl_cert_file={chain} -c ssl_key_file={key}",
        )
        made.initialise()
        chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        certificate.private_key_pem.write_to_path(str(key))
        made.own(key)
        made.own(chain)
        (made.folder / "pg_hba.conf").write_text(CLUSTER_HBA)
        ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        other.cert_pem.write_to_path(str(folder / "other.pem"))
        with running(made):
            yield Server(made, port, folder / "ca.pem", folder / "other.pem")


@pytest.fixture(autouse=True)
def aws() -> Iterator[pytest.MonkeyPatch]:
    with aws_environment() as patch:
        yield patch


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def refusal(url: str, how: Access) -> str:
    """Why no connection comes about."""
    database = Database(url, access=how)
    with pytest.raises(StoreUnavailable) as caught, database.connect():
        pass
    database.close()
    return caught.value.detail


def test_the_right_authority_and_name_are_accepted(server: Server) -> None:
    database = Database(server.url(), access=Access(server.ca))
    with database.connect() as connection:
        encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert connection.execute(text(encrypted)).scalar_one() is True
    database.close()


def test_a_host_that_vanishes_is_noticed(server: Server) -> None:
    """The kernel asks whether it is still there, and gives it up after ten seconds or so."""
    database = Database(server.url(), access=Access(server.ca))
    with database.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, psycopg.Connection)
        with socket.socket(fileno=os.dup(driver.fileno())) as wire:
            idle, interval, count, sending = (
                wire.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            )
    assert idle + interval * count <= 12
    assert sending == 10_000
    database.close()


def test_another_authority_is_refused(server: Server) -> None:
    assert "certificate verify failed" in refusal(server.url(), Access(server.other_ca))


def test_another_host_name_is_refused(server: Server) -> None:
    """The certificate is right, but for a host of another name."""
    url = server.url(host="127.0.0.1")
    assert 'does not match host name "127.0.0.1"' in refusal(url, Access(server.ca))


def test_the_bundle_outweighs_a_laxer_address(server: Server) -> None:
    url = server.url() + "?sslmode=disable"
    assert "certificate verify failed" in refusal(url, Access(server.other_ca))


def test_a_server_without_tls_is_refused(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with cluster_folder() as folder:
        port = free_port()
        plain = Cluster(EMBEDDED, folder / "plain", f"-h 127.0.0.1 -p {port}")
        plain.initialise()
        with running(plain):
            url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
            assert "does not support SSL" in refusal(url, Access(tmp_path / "ca.pem"))


class TestIam:
    """Each connection's password is a token of IAM."""

    @pytest.fixture
    def now(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """The time in seconds that the tokens' maker sees."""
        now = [1000.0]
        monkeypatch.setattr(access, "monotonic", lambda: now[0])
        return now

    def test_the_token_opens_connections(
        self, server: Server, now: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The server knows one token: that of the first attempt. It opens connections until the
        next one is made, in another moment and so another one.
        """
        given: list[str] = []
        genuine = IamToken.__call__

        def noted(self: IamToken) -> str:
            given.append(genuine(self))
            return given[-1]

        monkeypatch.setattr(IamToken, "__call__", noted)
        server.tell("CREATE ROLE ann LOGIN")
        database = Database(server.url(user="ann"), access=Access(server.ca, iam=True))
        with pytest.raises(StoreUnavailable) as caught, database.connect():
            pass
        assert "password authentication failed" in caught.value.detail
        server.tell(f"ALTER ROLE ann PASSWORD '{given[0]}'")
        for _ in range(2):
            with database.connect() as connection:
                assert connection.execute(text("SELECT current_user")).scalar_one() == "ann"
            database.engine.dispose()
        assert len(given) >= 3
        monkeypatch.setattr(
            "botocore.auth.get_current_datetime", lambda **_: datetime(2031, 5, 1, tzinfo=UTC)
        )
        now[0] += access.TOKEN_SECONDS
        with pytest.raises(StoreUnavailable), database.connect():
            pass
        assert "X-Amz-Date=20310501" in given[-1]
        database.close()

    def test_a_token_is_signed_for_the_server_and_the_user(self) -> None:
        url = make_url("postgresql+psycopg://ann@cluster.example.com/films")
        token = IamToken(url)()
        assert token.startswith("cluster.example.com:5432/?Action=connect&DBUser=ann&")
        assert "X-Amz-Expires=900" in token
        assert "%2Feu-west-1%2Frds-db%2F" in token

    def test_a_token_lives_as_long_as_it_safely_may(self, now: list[float]) -> None:
        url = make_url("postgresql+psycopg://ann@cluster.example.com/films")
        token = IamToken(url)
        signed: list[str] = []
        token._client = Signer(signed)
        assert [token(), token()] == ["token 1", "token 1"]
        now[0] += access.TOKEN_SECONDS - 1
        assert token() == "token 1"
        now[0] += 1
        assert token() == "token 2"
        assert access.TOKEN_SECONDS < 15 * 60

    def test_without_credentials_the_store_is_unavailable(
        self, server: Server, aws: pytest.MonkeyPatch
    ) -> None:
        aws.delenv("AWS_ACCESS_KEY_ID")
        aws.delenv("AWS_SECRET_ACCESS_KEY")
        detail = refusal(server.url(user="ann"), Access(server.ca, iam=True))
        assert "cannot sign a token: Unable to locate credentials" in detail
        assert "Give the process a role" in detail

    def test_without_a_region_it_is_refused(self, aws: pytest.MonkeyPatch) -> None:
        aws.delenv("AWS_DEFAULT_REGION")
        with pytest.raises(InvalidRequest, match=r"You must specify a region.*AWS_DEFAULT_REGION"):
            Database("postgresql+psycopg://ann@cluster.example.com/films", access=Access(iam=True))

    @pytest.mark.parametrize("address", ["cluster.example.com/films", "ann@/films?host=/tmp"])
    def test_without_a_host_or_a_user_it_is_refused(self, address: str) -> None:
        with pytest.raises(InvalidRequest, match="needs a DATABASE_URL with a host and a user"):
            Database(f"postgresql+psycopg://{address}", access=Access(iam=True))


@dataclass
class Signer:
    """Numbers the tokens that it makes."""

    signed: list[str]

    def generate_db_auth_token(self, **asked: object) -> str:
        self.signed.append(str(asked))
        return f"token {len(self.signed)}"


class TestCommand:
    """What can be mended ends in one line and exit code 2."""

    @pytest.fixture(autouse=True)
    def _installed(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("REELWISE_HOME", str(tmp_path))
        monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://ann@localhost:1/films")

    def test_a_bundle_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_CA_BUNDLE", "/nonexistent.pem")
        assert "DATABASE_CA_BUNDLE: Path does not point to a file" in refused(migrate())

    def test_iam_without_a_bundle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_IAM_AUTH", "true")
        assert "set DATABASE_URL and DATABASE_CA_BUNDLE too" in refused(migrate())

    def test_a_wrong_certificate(self, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", server.url())
        monkeypatch.setenv("DATABASE_CA_BUNDLE", str(server.other_ca))
        line = refused(migrate())
        assert "The database does not answer." in line
        assert "certificate verify failed" in line

    def test_nobody_listens(self) -> None:
        assert "The database does not answer." in refused(migrate())

    def test_an_address_of_the_replica_that_is_none(
        self, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", postgres_url)
        monkeypatch.setenv("DATABASE_READ_URL", "nowhere")
        line = refused(CliRunner().invoke(app, ["export-swipes"]))
        assert "DATABASE_READ_URL is not an address" in line


def migrate() -> Result:
    return CliRunner().invoke(app, ["migrate"])


def refused(done: Result) -> str:
    assert done.exit_code == 2, done.output
    [line] = done.stderr.strip().splitlines()
    assert line.startswith("reelwise: ")
    return line
