"""Files and folders by URL (``s3://…`` and whatever fsspec knows): one way to all of them."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import fsspec
from fasteners import InterProcessLock
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from tqdm import tqdm

from recommender.errors import InvalidRequest

BLOCK = 8 * 2**20
"""Bytes that are asked for at a time."""
KEPT_VERSIONS = 2
"""Another process may be reading the version before."""


@dataclass(frozen=True)
class _Remote:
    """What is to be had under a URL: sizes by the names below it, and what changes with content."""

    files: AbstractFileSystem
    root: str
    sizes: Mapping[str, int]
    version: str

    def read(self, name: str, start: int, end: int) -> bytes:
        """Part of a file."""
        source = f"{self.root}/{name}" if name else self.root
        block: bytes = self.files.cat_file(source, start=start, end=end)
        return block


def local_copy(url: str, cache: Path) -> Path:
    """The file or the folder that ``url`` names, on this machine.

    A path of this machine is taken as it is. Anything else is downloaded into ``cache``, once for
    each version that is found there: what a killed process left is gone on with, and a folder
    appears when it is whole.

    Raises InvalidRequest when there is nothing, it may not be read, or it changes meanwhile.
    """
    with named_failures(url):
        files, root = fsspec.url_to_fs(url)
    if isinstance(files, LocalFileSystem):
        return Path(root)
    home = cache / hashlib.sha256(url.encode()).hexdigest()[:16]
    home.mkdir(parents=True, exist_ok=True)
    with named_failures(url), InterProcessLock(home / "lock"):
        remote = _look(files, root)
        if not remote.sizes:
            raise FileNotFoundError(url)
        folder = home / remote.version
        if not _whole(folder):
            _download(remote, url, folder)
            _forget_old(home)
    return folder / PurePosixPath(root).name if "" in remote.sizes else folder


@contextmanager
def writing(url: str) -> Iterator[tuple[AbstractFileSystem, str]]:
    """A file system and the path in it that ``url`` names; what is written appears at the end.

    Raises InvalidRequest when it may not be written.
    """
    with named_failures(url):
        files, root = fsspec.url_to_fs(url)
        if isinstance(files, LocalFileSystem):
            files.auto_mkdir = True
        with files.transaction:
            yield files, root


@contextmanager
def named_failures(url: str) -> Iterator[None]:
    """Say of whatever fails how to mend it; raises InvalidRequest."""
    try:
        yield
    except InvalidRequest:
        raise
    except FileNotFoundError as error:
        raise InvalidRequest(f"{url} is not there. Check the bucket and the path.") from error
    except PermissionError as error:
        raise InvalidRequest(
            f"{url} is not open to these credentials ({error}). Renew them or widen their role."
        ) from error
    except ImportError as error:
        raise InvalidRequest(f"{url} needs a package: {error}. For S3: reelwise[aws]") from error
    except Exception as error:  # each file system raises what it likes
        raise InvalidRequest(f"{url} cannot be used: {type(error).__name__}: {error}") from error


def _look(files: AbstractFileSystem, root: str) -> _Remote:
    files.invalidate_cache()
    found = {
        path.removeprefix(root).lstrip("/"): info
        for path, info in sorted(files.find(root, detail=True).items())
    }
    marks = [(name, info["size"], str(_mark(info))) for name, info in found.items()]
    version = hashlib.sha256(json.dumps(marks).encode()).hexdigest()[:16]
    return _Remote(files, root, {name: int(info["size"]) for name, info in found.items()}, version)


def _mark(info: Mapping[str, object]) -> object:
    """What changes with a file's content, as far as its file system tells."""
    return next((info[key] for key in ("ETag", "etag", "mtime", "created") if key in info), None)


def _download(remote: _Remote, url: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    growing = folder.with_suffix(".part")
    total = sum(remote.sizes.values())
    with tqdm(
        desc=f"Downloading {url}", total=total, unit="B", unit_scale=True, disable=None
    ) as bar:
        for name, size in remote.sizes.items():
            target = growing / (name or PurePosixPath(remote.root).name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                _fetch(remote, name, target)
            bar.update(size)
    if _look(remote.files, remote.root).version != remote.version:
        shutil.rmtree(growing)
        raise InvalidRequest(f"{url} changed while it was downloaded. Try again.")
    _record(growing).write_text(json.dumps(_digests(growing)), encoding="utf-8")
    growing.rename(folder)


def _fetch(remote: _Remote, name: str, target: Path) -> None:
    """Read a file block by block, from where a killed process stopped."""
    growing, size = target.with_name(target.name + ".part"), remote.sizes[name]
    with growing.open("ab") as out:
        while (done := out.tell()) < size:
            block = remote.read(name, done, min(done + BLOCK, size))
            if not block:
                raise InvalidRequest(f"{name} ended after {done} of {size} bytes. Try again.")
            out.write(block)
            out.flush()
        os.fsync(out.fileno())
    growing.rename(target)


def _whole(folder: Path) -> bool:
    """Whether a download is there as it was finished."""
    try:
        kept: object = json.loads(_record(folder).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return kept == _digests(folder)


def _record(folder: Path) -> Path:
    return folder.with_name(f"{folder.stem}.json")


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _forget_old(home: Path) -> None:
    versions = sorted(home.glob("*.json"), key=lambda record: record.stat().st_mtime)
    for record in versions[:-KEPT_VERSIONS]:
        shutil.rmtree(record.with_suffix(""), ignore_errors=True)
        record.unlink()
    for left in home.glob("*.part"):
        shutil.rmtree(left)
