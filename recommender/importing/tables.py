"""Large tables of numbers, read block by block so that memory does not grow with their length."""

import csv
from collections.abc import Iterator, Mapping
from typing import IO

import polars as pl
from polars.exceptions import PolarsError

from recommender.errors import InvalidRequest
from recommender.importing.report import Report
from recommender.importing.source import Source

BLOCK = 16 * 2**20
"""Bytes that are parsed at a time."""

Limits = Mapping[str, tuple[float, float]]
"""What the numbers of a column lie between, by column."""


def blocks(
    source: Source,
    name: str,
    schema: Mapping[str, type[pl.DataType]],
    limits: Limits,
    report: Report,
) -> Iterator[pl.DataFrame]:
    """A table's rows, some 16 MB at a time; rows outside the limits are faults.

    Raises InvalidRequest naming the line that is no row, or when the header is another.
    """
    with source.open(name) as stream:
        header = stream.readline(2**16).decode("utf-8-sig", errors="replace").strip()
        if header.split(",") != list(schema):
            raise InvalidRequest(
                f"{name} begins with {header[:80]!r}, not with {','.join(schema)}. "
                "Take it as MovieLens publishes it."
            )
        line = 2
        for block in _cut(stream, name):
            frame = _parsed(block, name, line, schema)
            yield _within(frame, name, line, limits, report)
            line += block.count(b"\n")
            source.progress(len(block))


def _cut(stream: IO[bytes], name: str) -> Iterator[bytes]:
    """Blocks that end with a line, and not within quotes."""
    while block := stream.read(BLOCK):
        block += stream.readline(BLOCK)
        while block.count(b'"') % 2 and (more := stream.readline(BLOCK)):
            block += more
        if len(block) > 4 * BLOCK:
            raise InvalidRequest(f"{name} has quotes that do not end. Take it as it is published.")
        yield block


def _parsed(
    block: bytes, name: str, line: int, schema: Mapping[str, type[pl.DataType]]
) -> pl.DataFrame:
    try:
        frame = pl.read_csv(block, has_header=False, schema=dict(schema))
    except PolarsError as error:
        raise InvalidRequest(_what_is_wrong(block, name, line, schema)) from error
    if any(frame[column].null_count() for column in frame.columns):
        raise InvalidRequest(_what_is_wrong(block, name, line, schema))
    return frame


def _what_is_wrong(
    block: bytes, name: str, first: int, schema: Mapping[str, type[pl.DataType]]
) -> str:
    """Which line of a block that could not be parsed is at fault, read again slowly."""
    for number, line in enumerate(block.splitlines(), first):
        try:
            row = next(csv.reader([line.decode("utf-8")]), [])
        except UnicodeDecodeError as error:
            return f"{name}, line {number} is not UTF-8 ({error.reason}). Save it as UTF-8."
        if len(row) != len(schema):
            return f"{name}, line {number} has {len(row)} fields, the header has {len(schema)}."
        for (column, kind), value in zip(schema.items(), row, strict=True):
            if not _reads(value, kind):
                return f"{name}, line {number}: {column} {value[:40]!r} is not a {kind}."
    return f"{name}, lines {first} to {first + block.count(10)} cannot be read as a table."


def _reads(value: str, kind: type[pl.DataType]) -> bool:
    if kind == pl.String:
        return value != ""
    try:
        float(value) if kind in (pl.Float32, pl.Float64) else int(value)
    except ValueError:
        return False
    return True


def _within(
    frame: pl.DataFrame, name: str, line: int, limits: Limits, report: Report
) -> pl.DataFrame:
    fine = pl.all_horizontal(
        pl.col(column).is_between(low, high) for column, (low, high) in limits.items()
    )
    outside = frame.with_row_index("line", line).filter(~fine)
    for row in outside.iter_rows(named=True):
        number = int(row.pop("line"))
        column = next(c for c, (low, high) in limits.items() if not low <= row[c] <= high)
        low, high = limits[column]
        report.fault(name, number, f"{column} {row[column]:g} is not between {low:g} and {high:g}")
    return frame.filter(fine) if len(outside) else frame
