"""What is made of a catalogue, kept in a folder so that the next start need not make it again."""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from fusion.item_space import digest

T = TypeVar("T")

SOURCES = frozenset({".py", ".toml"})
LIBRARIES = ("bm25s", "PyStemmer")
"""Packages whose release what is kept depends on, as it does on the code of this one."""
DIGESTS = "sha256.json"
"""What each file of an entry must be, written last."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Form(Generic[T]):
    """How something is written to an empty folder, and read from it."""

    save: Callable[[T, Path], object]
    load: Callable[[Path], T]


class Kept:
    """What was made of one thing. What is damaged, or made of another or by other code, is not
    used.
    """

    def __init__(self, folder: Path | None, made_of: str = "", *code: Path) -> None:
        """``made_of`` names the thing, ``code`` folders of sources beside this package's. Without
        a ``folder`` nothing is kept; it is made where it is not there yet.
        """
        self._folder = folder
        self._made_of = made_of
        self._code = (Path(__file__).parent, *code)

    def get(self, name: str, build: Callable[[], T], form: Form[T]) -> T:
        """What is kept by this name; if nothing is, what ``build`` makes is kept first.

        Where the folder cannot be written to, it is what was made; all others read what is kept,
        whoever made it, for that takes less memory than what making it leaves behind.
        """
        if self._folder is None:
            return build()
        kept = self._folder / f"{name}-{self._version}"
        if _whole(kept):
            return form.load(kept)
        made = build()
        try:
            is_kept = _keep(made, form, name, kept)
        except OSError as error:
            log.warning("What is made of the films is made anew at each start: %s", error)
            return made
        return form.load(kept) if is_kept else made

    @cached_property
    def _version(self) -> str:
        content = hashlib.sha256(self._made_of.encode())
        for source in sorted(path for folder in self._code for path in folder.rglob("*")):
            if source.suffix in SOURCES:
                content.update(source.read_bytes())
        for library in LIBRARIES:
            content.update(version(library).encode())
        return content.hexdigest()[:16]


UNKEPT = Kept(None)


def _save_json(made: object, folder: Path) -> None:
    (folder / "made.json").write_bytes(to_json(made))


def _load_json(folder: Path) -> Any:  # noqa: ANN401 - whatever was written
    return from_json((folder / "made.json").read_bytes())


def _save_arrays(made: Mapping[str, NDArray[Any]], folder: Path) -> None:
    for name, array in made.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)


def _load_arrays(folder: Path) -> dict[str, NDArray[Any]]:
    return {
        file.stem: np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
        for file in folder.glob("*.npy")
    }


JSON: Form[Any] = Form(_save_json, _load_json)
"""What JSON can say: tuples and sets come back as lists."""
ARRAYS: Form[Mapping[str, NDArray[Any]]] = Form(_save_arrays, _load_arrays)
"""Arrays by name, mapped from their files and read-only."""


def _keep(made: T, form: Form[T], name: str, kept: Path) -> bool:
    """Whether there was anything to keep, which is there now, by this server or a quicker one."""
    folder = kept.parent
    folder.mkdir(parents=True, exist_ok=True)
    fresh = Path(mkdtemp(prefix=f"{name}-", dir=folder))
    form.save(made, fresh)
    digests = {file.name: digest(file) for file in fresh.iterdir()}
    if not digests or _whole(kept):  # there is nothing to keep, or another server was quicker
        shutil.rmtree(fresh)
        return bool(digests)
    (fresh / DIGESTS).write_text(json.dumps(digests))
    shutil.rmtree(kept, ignore_errors=True)
    fresh.replace(kept)
    for other in folder.glob(f"{name}-*"):  # of before, or broken off
        if other != kept:
            shutil.rmtree(other, ignore_errors=True)
    return True


def _whole(kept: Path) -> bool:
    try:
        digests = TypeAdapter(dict[str, str]).validate_json((kept / DIGESTS).read_bytes())
        return bool(digests) and all(digest(kept / name) == digests[name] for name in digests)
    except (OSError, ValueError):
        return False
