"""Word indexes kept in a folder, so that a start does not count all words again."""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

import bm25s
from pydantic import TypeAdapter

COUNTED_BY = ("text.py", "lexical.py")
DIGESTS = "sha256.json"
"""What each file of an index must be, written last."""

log = logging.getLogger(__name__)


class KeptWords:
    """The indexes over one catalogue. What is damaged, or of other films or code, is not used."""

    def __init__(self, folder: Path, catalogue: str) -> None:
        """``catalogue`` is its fingerprint. ``folder`` is made where it is not there yet."""
        self._folder = folder
        digest = hashlib.sha256(catalogue.encode())
        for module in COUNTED_BY:
            digest.update(Path(__file__).with_name(module).read_bytes())
        digest.update(f"{version('bm25s')} {version('PyStemmer')}".encode())
        self._name = digest.hexdigest()[:16]

    def get(self, name: str, build: Callable[[], bm25s.BM25]) -> bm25s.BM25:
        """The index of this name, mapped from its files; if it is not kept, as ``build`` makes it.

        That is kept from then on, where the folder can be written to.
        """
        kept = self._folder / f"{name}-{self._name}"
        if _whole(kept):
            return bm25s.BM25.load(kept, mmap=True)
        index = build()
        if not index.vocab_dict:
            return index
        try:
            self._keep(index, name, kept)
        except OSError as error:
            log.warning("The words of films are counted anew at each start: %s", error)
        return index

    def _keep(self, index: bm25s.BM25, name: str, kept: Path) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(prefix=f"{name}-", dir=self._folder))
        index.save(fresh, show_progress=False)
        digests = {file.name: _digest(file) for file in fresh.iterdir()}
        (fresh / DIGESTS).write_text(json.dumps(digests))
        shutil.rmtree(kept, ignore_errors=True)
        fresh.replace(kept)
        for other in self._folder.glob(f"{name}-*"):  # of other films, or broken off
            if other != kept:
                shutil.rmtree(other, ignore_errors=True)


def _whole(kept: Path) -> bool:
    try:
        digests = TypeAdapter(dict[str, str]).validate_json((kept / DIGESTS).read_bytes())
        return bool(digests) and all(_digest(kept / name) == digests[name] for name in digests)
    except (OSError, ValueError):
        return False


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
