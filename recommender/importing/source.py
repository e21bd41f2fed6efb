"""Files of strangers: zip archives and folders, read as bounded streams and never unpacked."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from recommender.errors import InvalidRequest

MAX_UNPACKED = 8 * 2**30
"""Bytes of all files together; MovieLens 32M has 1 GB."""
MAX_RATIO = 200
"""Bytes that a packed one may unfold to; tables of text stay below 30."""
SMALL = 10 * 2**20
"""Bytes of a file that may unfold as it likes."""
MAX_LINE = 4 * 2**20
"""Bytes of one line; the details of a film with all its credits have less than one tenth."""
ANEW = "Download it again."


class Source:
    """A zip archive, a folder or a single file. Close it after use."""

    def __init__(
        self,
        path: Path,
        progress: Callable[[int], object] = lambda _: None,
        content: bytes | None = None,
        limit: int = MAX_UNPACKED,
    ) -> None:
        """``content`` is what a file holds that is not on a disk and only called ``path``.

        ``progress`` is told of bytes of large tables that were read, ``limit`` is how many all
        files may unfold to. Raises InvalidRequest when it is not there, damaged, or made to do
        harm.
        """
        self.path = path
        self.progress = progress
        self._content = content
        self._zip: zipfile.ZipFile | None = None
        with _named(path.name):
            if path.is_dir() and content is None:
                return
            with self._stored() as file:
                zipped = path.suffix == ".zip" or file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
            if zipped:
                self._zip = zipfile.ZipFile(path if content is None else io.BytesIO(content))
                _check(path.name, self._zip.infolist(), limit)

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip:
            self._zip.close()

    @property
    def names(self) -> list[str]:
        """The names of its files, with "/" between folders."""
        if self._zip:
            return [info.filename for info in self._zip.infolist() if not info.is_dir()]
        if self._content is None and self.path.is_dir():
            files = sorted(file for file in self.path.rglob("*") if file.is_file())
            return [file.relative_to(self.path).as_posix() for file in files]
        return [self.path.name]

    def find(self, name: str) -> str | None:
        """The outermost file whose name, or the end of whose path, is ``name``."""
        found = [
            each
            for each in self.names
            if f"/{each}".endswith(f"/{name}") and not each.startswith("__MACOSX/")
        ]
        return min(found, key=lambda each: (each.count("/"), each), default=None)

    def need(self, name: str) -> str:
        """The same. Raises InvalidRequest when there is none."""
        found = self.find(name)
        if found is None:
            raise InvalidRequest(f"{self.path.name} holds no {name}. {ANEW}")
        return found

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """A file's bytes. What is damaged raises InvalidRequest while it is read."""
        where = f"{self.path.name}/{name}" if self.path.name != name else name
        with _named(where), self._zip.open(name) if self._zip else self._file(name) as packed:
            yield _unpacked(packed) if name.endswith(".gz") else packed

    def _file(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb") if self.path.is_dir() else self._stored()

    def _stored(self) -> IO[bytes]:
        return self.path.open("rb") if self._content is None else io.BytesIO(self._content)


def text_lines(stream: IO[bytes], file: str) -> Iterator[str]:
    """The lines of a UTF-8 text. Raises InvalidRequest naming the line that is none."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            raise InvalidRequest(
                f"{file}, line {number} is longer than {MAX_LINE:,} bytes. Shorten it."
            )
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            raise InvalidRequest(
                f"{file}, line {number} is not UTF-8 (byte 0x{byte:02x}). Save it as UTF-8."
            ) from error


def csv_rows(
    lines: Iterable[str], file: str, needed: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table with its header's names, each with the number of its last line.

    Raises InvalidRequest naming the line where it is no table, or the columns it lacks.
    """
    reader = csv.reader(lines, strict=True)
    header: list[str] | None = None
    try:
        for row in filter(None, reader):
            if header is None:
                header = _header(row, file, needed)
            elif len(row) != len(header):
                raise InvalidRequest(
                    f"{file}, line {reader.line_num} has {len(row)} fields, "
                    f"the header has {len(header)}. Mend the line's commas and quotes."
                )
            else:
                yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise InvalidRequest(f"{file}, line {reader.line_num} is no row: {error}.") from error
    if header is None:
        raise InvalidRequest(f"{file} is empty. {ANEW}")


def _header(row: Sequence[str], file: str, needed: Sequence[str]) -> list[str]:
    header = [name.strip() for name in row]
    if lacking := [name for name in needed if name not in header]:
        raise InvalidRequest(
            f"{file} has no column {', '.join(lacking)}; it has: {', '.join(header)}."
        )
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InvalidRequest(f"{file} has two columns called {twice!r}. Rename one.")
    return header


def _check(archive: str, infos: Sequence[zipfile.ZipInfo], limit: int) -> None:
    for info in infos:
        if _leads_out(info.orig_filename):
            raise InvalidRequest(
                f"{archive} holds {info.orig_filename!r}, whose name leads out of it. "
                "Take an archive from its publisher."
            )
        if info.file_size > max(SMALL, MAX_RATIO * info.compress_size):
            raise InvalidRequest(
                f"{archive} holds {info.filename!r}, which unfolds from {info.compress_size:,} to "
                f"{info.file_size:,} bytes: no table does. Take an archive from its publisher."
            )
    total = sum(info.file_size for info in infos)
    if total > limit:
        raise InvalidRequest(f"{archive} holds {total:,} bytes, more than {limit:,}. Split it.")


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name


def _unpacked(packed: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(_Bounded(gzip.GzipFile(fileobj=packed)))


class _Bounded(io.RawIOBase):
    """What gzip unfolds to, which it does not say beforehand."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = MAX_UNPACKED

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        count = self._stream.readinto(buffer)
        self._left -= count
        if self._left < 0:
            raise InvalidRequest(f"It unfolds to more than {MAX_UNPACKED:,} bytes. Split it.")
        return count


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Say of a damaged file which one it is. Raises InvalidRequest."""
    try:
        yield
    except FileNotFoundError as error:
        raise InvalidRequest(f"{what} is not there. Check the path.") from error
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InvalidRequest(f"{what} is damaged or incomplete: {error}. {ANEW}") from error
    except (NotImplementedError, RuntimeError) as error:  # how zipfile says so
        raise InvalidRequest(f"{what} is packed in a way that cannot be read: {error}.") from error
    except OSError as error:
        raise InvalidRequest(f"{what} cannot be read: {error.strerror}.") from error
