"""Files by URL, on this machine and in S3: the same tests on both."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from recommender import remote_files
from recommender.errors import InvalidRequest
from recommender.remote_files import local_copy, writing
from tests.s3 import closed_to_strangers, new_bucket, s3

FILES = {"model.json": b"{}", "text/model.onnx": os.urandom(300_000), "empty": b""}


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with s3() as url:
        yield url


@pytest.fixture(params=["local", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place."""
    if request.param == "local":
        return str(tmp_path / "place")
    request.getfixturevalue("s3_url")
    return new_bucket()


@pytest.fixture
def bucket(s3_url: str) -> str:  # noqa: ARG001
    """An empty bucket."""
    return new_bucket()


def put(url: str, files: dict[str, bytes] = FILES) -> str:
    with writing(url) as (system, path):
        for name, content in files.items():
            with system.open(f"{path}/{name}", "wb") as out:
                out.write(content)
    return url


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@dataclass
class Asked:
    """How many bytes were asked of S3."""

    bytes: int = 0


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    counted, genuine = Asked(), remote_files._Remote.read

    def read(self: remote_files._Remote, name: str, start: int, end: int) -> bytes:
        counted.bytes += end - start
        return genuine(self, name, start, end)

    monkeypatch.setattr(remote_files._Remote, "read", read)
    return counted


def test_what_was_written_is_read(root: str, tmp_path: Path) -> None:
    url = put(f"{root}/models")
    assert content(local_copy(url, tmp_path / "cache")) == FILES


def test_one_file_is_read(root: str, tmp_path: Path) -> None:
    url = put(f"{root}/models")
    copy = local_copy(f"{url}/text/model.onnx", tmp_path / "cache")
    assert copy.name == "model.onnx"
    assert copy.read_bytes() == FILES["text/model.onnx"]


def test_what_fails_half_way_is_not_written(root: str, tmp_path: Path) -> None:
    url = put(f"{root}/models")

    def fail() -> None:
        with writing(url) as (system, path), system.open(f"{path}/model.json", "wb") as out:
            out.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(InvalidRequest, match="cannot be used: ZeroDivisionError"):
        fail()
    assert content(local_copy(url, tmp_path / "cache")) == FILES


def test_a_folder_of_this_machine_is_taken_as_it_is(tmp_path: Path) -> None:
    assert local_copy(str(tmp_path), tmp_path / "cache") == tmp_path
    assert local_copy(f"file://{tmp_path}", tmp_path / "cache") == tmp_path
    assert not (tmp_path / "cache").exists()


def test_a_version_is_downloaded_once(bucket: str, tmp_path: Path, asked: Asked) -> None:
    url = put(bucket + "/models")
    first = local_copy(url, tmp_path)
    assert asked.bytes == sum(map(len, FILES.values()))
    assert local_copy(url, tmp_path) == first
    assert asked.bytes == sum(map(len, FILES.values()))
    put(url, {"model.json": b"{1}"})
    second = local_copy(url, tmp_path)
    assert second != first
    assert content(second) == FILES | {"model.json": b"{1}"}
    assert content(first) == FILES  # somebody may be reading it
    put(url, {"model.json": b"{22}"})
    local_copy(url, tmp_path)
    assert not first.exists()


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")])
def test_a_damaged_copy_is_made_anew(
    bucket: str, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    url = put(bucket + "/models")
    damage(local_copy(url, tmp_path) / "text" / "model.onnx")
    assert content(local_copy(url, tmp_path)) == FILES


KILLED = """
import os, signal, sys
from pathlib import Path
from recommender import remote_files
remote_files.BLOCK = 100_000
genuine, blocks = remote_files._Remote.read, []
def read(self, name, start, end):
    if len(blocks) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    blocks.append(genuine(self, name, start, end))
    return blocks[-1]
remote_files._Remote.read = read
remote_files.local_copy(sys.argv[1], Path(sys.argv[2]))
"""


def test_a_killed_download_is_gone_on_with(bucket: str, tmp_path: Path, asked: Asked) -> None:
    """It is killed after 100 kB of 300, which the next one does not ask for again."""
    url = put(bucket + "/models")
    killed = subprocess.run([sys.executable, "-c", KILLED, url, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert content(local_copy(url, tmp_path)) == FILES
    assert asked.bytes == 200_000


COPY = """
import sys
from pathlib import Path
from recommender.remote_files import local_copy
print(local_copy(sys.argv[1], Path(sys.argv[2])))
"""


def test_processes_that_start_at_once_share_one_copy(bucket: str, tmp_path: Path) -> None:
    url = put(bucket + "/models")
    command = [sys.executable, "-c", COPY, url, str(tmp_path)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    folders = {process.communicate(timeout=120)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0]
    [folder] = folders
    assert content(Path(folder.strip())) == FILES


def test_what_changes_meanwhile_is_refused(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, genuine = put(bucket + "/models"), remote_files._Remote.read

    def read(self: remote_files._Remote, name: str, start: int, end: int) -> bytes:
        put(url, {"model.json": b"other"})
        return genuine(self, name, start, end)

    monkeypatch.setattr(remote_files._Remote, "read", read)
    with pytest.raises(InvalidRequest, match=r"changed while it was downloaded. Try again"):
        local_copy(url, tmp_path)
    monkeypatch.undo()
    assert content(local_copy(url, tmp_path)) == FILES | {"model.json": b"other"}


class TestRefusals:
    def test_nothing_is_there(self, bucket: str, tmp_path: Path) -> None:
        with pytest.raises(InvalidRequest, match=r"/none is not there. Check the bucket"):
            local_copy(f"{bucket}/none", tmp_path)

    def test_no_such_bucket(self, s3_url: str, tmp_path: Path) -> None:  # noqa: ARG002
        with pytest.raises(InvalidRequest, match=r"s3://films-of-nobody/x is not there"):
            local_copy("s3://films-of-nobody/x", tmp_path)
        with pytest.raises(InvalidRequest, match=r"s3://films-of-nobody/x is not there"):
            put("s3://films-of-nobody/x")

    def test_access_denied(self, s3_url: str, bucket: str, tmp_path: Path) -> None:
        url = put(bucket + "/models")
        with closed_to_strangers(s3_url):
            with pytest.raises(InvalidRequest, match="is not open to these credentials"):
                local_copy(url, tmp_path)
            with pytest.raises(InvalidRequest, match="is not open to these credentials"):
                put(url)

    def test_an_unknown_kind_of_address(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidRequest, match="Protocol not known: ftps"):
            local_copy("ftps://x/y", tmp_path)

    def test_a_package_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidRequest, match=r"needs a package: Please install gcsfs"):
            local_copy("gs://x/y", tmp_path)

    def test_a_folder_that_may_not_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(
            InvalidRequest, match=r"cannot be used: (NotADirectory|FileExists)Error"
        ):
            put(str(tmp_path / "file" / "models"))


def test_the_copy_needs_the_bucket_no_more(bucket: str, tmp_path: Path) -> None:
    """What was returned is a plain folder."""
    url = put(bucket + "/models")
    moved = shutil.copytree(local_copy(url, tmp_path / "cache"), tmp_path / "elsewhere")
    assert content(moved) == FILES
