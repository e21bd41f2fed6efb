"""Files of strangers: what is damaged or made to do harm is refused by name, line and reason."""

import gzip
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import InvalidRequest
from recommender.importing import source as module
from recommender.importing.source import Source, csv_rows, text_lines


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(name, content)
    return path


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(InvalidRequest) as raised:
        action()
    return str(raised.value)


def unpacked(source: Source, name: str) -> bytes:
    with source.open(name) as stream:
        return stream.read()


def rows(content: bytes, *needed: str) -> list[tuple[int, dict[str, str]]]:
    return list(csv_rows(text_lines(io.BytesIO(content), "films.csv"), "films.csv", needed))


def test_a_file_is_found_in_a_zip_as_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    (folder / "ml-small").mkdir(parents=True)
    (folder / "ml-small" / "movies.csv").write_bytes(b"a")
    zipped = archive(
        tmp_path / "ml.zip", {"__MACOSX/movies.csv": b"junk", "ml-small/movies.csv": b"a"}
    )
    for path in (folder, zipped):
        with Source(path) as source, source.open(source.need("movies.csv")) as stream:
            assert stream.read() == b"a"
            assert source.find("links.csv") is None
            assert "holds no links.csv" in refusal(lambda s=source: s.need("links.csv"))  # type: ignore[misc]


def test_a_file_in_memory_is_read_as_one_on_disk(tmp_path: Path) -> None:
    zipped = archive(tmp_path / "own.zip", {"likes/films.csv": b"x"}).read_bytes()
    with Source(Path("own.zip"), content=zipped) as source, source.open("likes/films.csv") as got:
        assert got.read() == b"x"
    with Source(Path("ratings.csv"), content=b"y") as source, source.open("ratings.csv") as got:
        assert source.names == ["ratings.csv"]
        assert got.read() == b"y"


@settings(deadline=None)
@given(cut=st.integers(0, 399))
def test_a_truncated_zip_is_refused_wherever_it_is_cut(cut: int) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as out:
        out.writestr("movies.csv", bytes(range(256)))
    content = whole.getvalue()[: min(cut, len(whole.getvalue()) - 1)]
    message = refusal(lambda: Source(Path("ml.zip"), content=content))
    assert message.startswith("ml.zip is damaged or incomplete")
    assert message.endswith("Download it again.")


def test_a_zip_whose_content_was_changed_is_refused_when_it_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "ml.zip", {"movies.csv": b"0123456789" * 50})
    content = bytearray(path.read_bytes())
    content[45] ^= 0xFF
    with Source(path, content=bytes(content)) as source:
        message = refusal(lambda: unpacked(source, "movies.csv"))
    assert message.startswith("ml.zip/movies.csv is damaged or incomplete")


@pytest.mark.parametrize(
    "name", ["../movies.csv", "/etc/movies.csv", "a/../../movies.csv", "c:movies.csv", "a\\b.csv"]
)
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "ml.zip", {name: b"x"})
    assert "whose name leads out of it" in refusal(lambda: Source(path))


def test_a_zip_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    path = archive(tmp_path / "ml.zip", {"ratings.csv": bytes(20 * 2**20)})
    assert path.stat().st_size < 2**16
    message = refusal(lambda: Source(path))
    assert "which unfolds from" in message
    assert "20,971,520 bytes" in message


def test_an_archive_of_too_much_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "ml.zip", {"a.csv": b"x" * 600, "b.csv": b"y" * 600})
    assert "holds 1,200 bytes, more than 1,000" in refusal(lambda: Source(path, limit=1000))


def test_gzip_is_unpacked_as_far_as_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ids.json.gz"
    path.write_bytes(gzip.compress(b"a\n" * 1000))
    with Source(path) as source, source.open("ids.json.gz") as stream:
        assert len(list(text_lines(stream, "ids.json.gz"))) == 1000
    monkeypatch.setattr(module, "MAX_UNPACKED", 100)
    with Source(path) as source, source.open("ids.json.gz") as stream:
        assert "unfolds to more" in refusal(lambda: list(text_lines(stream, "ids.json.gz")))
    path.write_bytes(gzip.compress(b"a\n" * 1000)[:-6])
    monkeypatch.setattr(module, "MAX_UNPACKED", 2**30)
    with Source(path) as source:
        assert "damaged or incomplete" in refusal(lambda: unpacked(source, "ids.json.gz"))


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal(lambda: Source(tmp_path / "none.zip")) == (
        "none.zip is not there. Check the path."
    )


def test_a_line_that_is_not_utf8_is_named() -> None:
    content = "id,title\n1,Heat\n2,Amélie\n".encode("latin-1")
    assert refusal(lambda: rows(content)) == (
        "films.csv, line 3 is not UTF-8 (byte 0xe9). Save it as UTF-8."
    )
    assert "line 1 is not UTF-8" in refusal(lambda: rows("id,title\n".encode("utf-16")))


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    assert rows("\ufeffid,title\n1,Heat\n".encode(), "id") == [(2, {"id": "1", "title": "Heat"})]


def test_a_line_of_50_mb_is_refused_without_being_kept() -> None:
    content = b"id,overview\n1," + b"x" * (50 * 2**20) + b"\n"
    assert "films.csv, line 2 is longer than 4,194,304 bytes" in refusal(lambda: rows(content))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "films.csv is empty"),
        (b"id,name\n1,Heat\n", "films.csv has no column title; it has: id, name."),
        (b"id,title,id\n", "films.csv has two columns called 'id'"),
        (b"id,title\n1\n", "films.csv, line 2 has 1 fields, the header has 2"),
        (b"id,title\n1,Heat,1995\n", "films.csv, line 2 has 3 fields, the header has 2"),
        (b'id,title\n1,"Heat" x\n', "films.csv, line 2 is no row"),
        (b'id,title\n1,"Heat\n', "films.csv, line 2 is no row: unexpected end of data"),
    ],
)
def test_a_table_that_is_none_is_refused_by_line(content: bytes, reason: str) -> None:
    assert reason in refusal(lambda: rows(content, "title"))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_refused(content: bytes) -> None:
    with suppress(InvalidRequest):
        read = rows(content)
        assert all(set(row) == set(read[0][1]) for _, row in read)


FIELDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=20)


@settings(deadline=None)
@given(st.lists(st.tuples(FIELDS, FIELDS), max_size=8))
def test_what_csv_writes_is_read_as_it_was(written: list[tuple[str, str]]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = ["id,title", *(f"{quoted(a)},{quoted(b)}" for a, b in written)]
    read = [tuple(row.values()) for _, row in rows("\n".join(lines).encode())]
    assert read == written
