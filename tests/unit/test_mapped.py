"""Anybody's table as a catalogue: what a mapping takes, and what is refused by line and reason."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import InvalidRequest
from recommender.importing.mapped import FieldMapping, read_mapped, read_mapping
from recommender.importing.report import Report
from recommender.importing.source import Source
from recommender.models import Item

MAPPING = FieldMapping(
    fields={
        "item_id": "id",
        "title": "name",
        "year": "released",
        "genres": "kinds",
        "overview": "plot",
        "rating_count": "votes",
        "rating_mean": "score",
        "tmdb_id": "tmdb",
        "poster": "image",
    },
    split={"genres": "|"},
    rating_scale=10,
)
ROW: dict[str, Any] = {
    "id": "a1",
    "name": "Heat",
    "released": "1995-12-15",
    "kinds": "Crime|Drama",
    "plot": "Two  men\nmeet.",
    "votes": 12,
    "score": 8.3,
    "tmdb": 949,
    "image": "https://pictures.test/heat.jpg",
}
HEAT = Item(
    item_id="a1",
    title="Heat",
    year=1995,
    genres=("Crime", "Drama"),
    overview="Two men meet.",
    rating_count=12,
    rating_mean=4.15,
    tmdb_id=949,
    poster="https://pictures.test/heat.jpg",
)


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        cells = [list(ROW), *([row.get(name, "") for name in ROW] for row in rows)]
        lines = [",".join(f'"{cell}"' for cell in row) for row in cells]
        path.write_text("\n".join(lines), encoding="utf-8")
    else:
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def read(path: Path, report: Report | None = None) -> list[Item]:
    report = report or Report()
    with Source(path) as source:
        items = read_mapped(source, MAPPING, report)
    report.require_faultless()
    return items


@pytest.mark.parametrize("name", ["films.jsonl", "films.csv", "films.parquet", "films.json"])
def test_each_kind_of_file_gives_the_same_film(tmp_path: Path, name: str) -> None:
    assert read(write(tmp_path / name, [ROW])) == [HEAT]


def test_a_json_list_is_read_as_lines_are(tmp_path: Path) -> None:
    path = tmp_path / "films.json"
    path.write_text(json.dumps([ROW, ROW | {"id": "a2"}]), encoding="utf-8")
    assert [item.item_id for item in read(path)] == ["a1", "a2"]
    path.write_text(f"[\n{json.dumps(ROW)},\n{json.dumps(ROW | {'id': 'a2'})}\n]", encoding="utf-8")
    assert [item.item_id for item in read(path)] == ["a1", "a2"]


def test_lists_need_no_separator(tmp_path: Path) -> None:
    rows = [ROW | {"kinds": ["Crime", {"name": "Drama"}, "Crime"]}]
    assert read(write(tmp_path / "films.jsonl", rows)) == [HEAT]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"released": -1995}, "the year -1995 is not between 1 and 2100"),
        ({"released": "soon"}, "'soon' is no year"),
        ({"name": ""}, "it has no title"),
        ({"id": None}, "it has no item_id"),
        ({"plot": "x" * 30_000}, "overview has 30,000; the limit is 20,000 characters"),
        ({"name": "a\x00b"}, "it holds control characters"),
        ({"votes": -3}, "rating_count: Input should be greater than or equal to 0"),
        ({"votes": 2**40}, "rating_count has 1,099,511,627,776"),
        ({"votes": 1.5}, "rating_count 1.5 is no whole number"),
        ({"score": 11}, "rating_mean: Input should be less than or equal to 5"),
        ({"score": "NaN"}, "rating_mean 'NaN' is no number"),
        ({"kinds": 7}, "'7' is no list of names"),
        ({"kinds": ["x" * 300]}, "genres has 300; the limit is 200 characters in a name"),
        ({"tmdb": 2**33}, "tmdb_id has 8,589,934,592"),
        ({"image": "http://pictures.test/x.jpg"}, "poster: is no address that begins with https"),
        ({"image": "javascript:alert(1)"}, "poster: is no address that begins with https://host/"),
        ({"image": "data:image/png;base64,AA"}, "poster: is no address that begins with https"),
        ({"image": "https://a.test/" + "x" * 500}, "poster: String should have at most 500"),
        ({"id": "x" * 200}, "item_id: String should have at most 128 characters"),
    ],
)
def test_what_no_film_can_be_made_of_is_named(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    report = Report()
    path = write(tmp_path / "films.jsonl", [ROW, ROW | {"id": "a2"} | change])
    with pytest.raises(InvalidRequest) as raised:
        read(path, report)
    assert str(raised.value).startswith("films.jsonl, line 2: ")
    assert reason in str(raised.value)
    assert "--skip-faulty leaves them out" in str(raised.value)
    assert report.faulty == 1


@pytest.mark.parametrize("line", ["{", "7", '"text"', "[1]", "[" * 5000])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "films.jsonl", [ROW])
    path.write_text(path.read_text() + "\n" + line, encoding="utf-8")
    with pytest.raises(InvalidRequest, match=r"films\.jsonl, line 2: it is no JSON"):
        read(path)


def test_twice_the_same_id_is_named_with_the_first(tmp_path: Path) -> None:
    path = write(tmp_path / "films.csv", [ROW, ROW | {"name": "Heat 2"}])
    with pytest.raises(InvalidRequest, match="'a1' is that of line 3 already"):
        read(path)  # the first row ends on line 3: its plot has two lines


@pytest.mark.parametrize("name", ["films.jsonl", "films.csv", "films.parquet"])
def test_columns_that_are_not_there_are_named(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, [ROW])
    mapping = FieldMapping(fields={"item_id": "id", "title": "titel"})
    with Source(path) as source, pytest.raises(InvalidRequest) as raised:
        read_mapped(source, mapping, Report())
    assert f"{name} has no" in str(raised.value)
    assert "titel; it has: " in str(raised.value)


def test_a_damaged_parquet_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "films.parquet", [ROW])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InvalidRequest, match=r"films\.parquet is damaged"):
        read(path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "films.xlsx"
    path.write_bytes(b"PK")
    with pytest.raises(InvalidRequest, match=r"films\.xlsx holds 0 tables"):
        read(path)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("m.toml", "", "fields: Field required"),
        ("m.toml", "[fields]\n", "say which column is item_id and which is title"),
        ("m.toml", '[fields]\nitem_id = "a"\ntitel = "b"\n', "fields.titel"),
        ("m.toml", '[fields]\nitem_id = "a"\ntitle = "b"\n[more]\n', "more: Extra inputs"),
        ("m.toml", "[fields\n", "is no mapping: Expected"),
        ("m.json", "{", "is no mapping: Expecting"),
        (
            "m.toml",
            '[fields]\nitem_id = "a"\ntitle = "b"\n[split]\ntitle = ","\n',
            "'title' cannot be split so",
        ),
        (
            "m.toml",
            'rating_scale = 0\n[fields]\nitem_id = "a"\ntitle = "b"\n',
            "rating_scale: Input should be greater than 0",
        ),
    ],
)
def test_a_mapping_that_maps_nothing_is_refused(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidRequest) as raised:
        read_mapping(tmp_path / name)
    assert reason in str(raised.value)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_mapping(tmp_path / "none.toml")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({name: JSON | st.just(ROW[name]) for name in ROW})))
def test_any_rows_are_films_or_faults(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]]
) -> None:
    path = write(tmp_path_factory.mktemp("any") / "films.jsonl", rows)
    report = Report()
    with suppress(InvalidRequest), Source(path) as source:
        items = read_mapped(source, MAPPING, report)
        assert len(items) + report.faulty == len(rows)
        assert len({item.item_id for item in items}) == len(items)
