"""Rows of CSV, JSON lines and Parquet, by the name of the file. Parquet needs pyarrow."""

import json
from collections.abc import Iterator, Sequence
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from recommender.errors import InvalidRequest
from recommender.importing.report import Report
from recommender.importing.source import MAX_UNPACKED, Source, csv_rows, text_lines

Row = dict[str, object]
TABLES = (".csv", ".jsonl", ".ndjson", ".json", ".parquet")
ROWS = 1000
"""Rows of a Parquet file that are read at a time."""


def kind(name: str) -> str | None:
    """What a file is, by its name: one of ``TABLES``, or None."""
    bare = name.lower().removesuffix(".gz")
    return next((ending for ending in TABLES if bare.endswith(ending)), None)


def rows(
    source: Source, name: str, report: Report, needed: Sequence[str] = ()
) -> Iterator[tuple[int, Row]]:
    """The rows of a file with their line (in Parquet, row) numbers from 1.

    Lines that are no JSON object are faults. Raises InvalidRequest when it is no such file, or
    lacks ``needed`` columns that its header must have.
    """
    ending = kind(name)
    with source.open(name) as stream:
        if ending == ".csv":
            for number, row in csv_rows(text_lines(stream, name), name, needed):
                yield number, dict(row)
        elif ending == ".parquet":
            yield from _of_parquet(stream, name, needed)
        elif ending:
            yield from _of_lines(stream, name, report)
        else:
            raise InvalidRequest(f"{name} is none of these: {', '.join(TABLES)} (or .gz of text).")


def _of_lines(stream: IO[bytes], name: str, report: Report) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(text_lines(stream, name), 1):
        text = line.strip().removesuffix(",")
        if text in ("", "[", "]"):  # a list with one object a line is as good
            continue
        try:
            told: object = json.loads(text)
        except (ValueError, RecursionError) as error:
            report.fault(name, number, f"it is no JSON ({error})")
            continue
        for row in told if isinstance(told, list) else [told]:
            if isinstance(row, dict):
                yield number, row
            else:
                report.fault(name, number, "it is no JSON object")


def _of_parquet(stream: IO[bytes], name: str, needed: Sequence[str]) -> Iterator[tuple[int, Row]]:
    try:
        with pq.ParquetFile(stream) as file:
            _check_parquet(file, name, needed)
            number = 0
            for batch in file.iter_batches(ROWS):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, OSError) as error:
        raise InvalidRequest(f"{name} is damaged: {error}. Write it again.") from error


def _check_parquet(file: pq.ParquetFile, name: str, needed: Sequence[str]) -> None:
    columns = file.schema_arrow.names
    if lacking := [each for each in needed if each not in columns]:
        raise InvalidRequest(
            f"{name} has no column {', '.join(lacking)}; it has: {', '.join(columns)}."
        )
    groups = range(file.metadata.num_row_groups)
    size = sum(file.metadata.row_group(k).total_byte_size for k in groups)
    if size > MAX_UNPACKED:
        raise InvalidRequest(f"{name} unfolds to more than {MAX_UNPACKED:,} bytes. Split it.")
