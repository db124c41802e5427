"""What became of a damaged file."""

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz_cases import COLUMNS
from benchmarks.fuzz_columns import COLUMNS as NEWER_COLUMNS
from benchmarks.fuzz_columns import CONTRACT as NEWER_CONTRACT
from benchmarks.fuzz_columns import WHERE
from benchmarks.fuzz_damage import Case
from benchmarks.fuzz_fates import fate

#: Outcomes that are right.
REFUSED, ACCEPTED, COUNTED = "refused clearly", "accepted", "malformed counted"
#: Outcomes that are not; the last two are given by who watches the process.
TRACEBACK, UNCLEAR, LOSS = "traceback", "refused without file", "silent loss"
HANG, CRASH = "hang", "crash"
RIGHT, WRONG = (REFUSED, ACCEPTED, COUNTED), (UNCLEAR, TRACEBACK, LOSS, HANG, CRASH)

#: Columns that the contract names.
_NAMED = tuple(name for name in COLUMNS if name != "note")
_CONTRACT = {
    "features": {
        "user": {"kind": "categorical"},
        "item": {"kind": "categorical"},
        "price": {"kind": "numeric"},
        "seq": {"kind": "sequence", "of": "item"},
    },
    "tasks": {"click": {"label": "click"}},
}


def judge_text(case: Case, path: Path) -> tuple[str, str]:
    """Reads a CSV file, packed or not, and checks that every line is accounted for."""
    from mtlx.components.log_example_gen.readers.csv import Csv

    read = _read(Csv(delimiter=case.delimiter), path, _NAMED)
    if isinstance(read, tuple):
        return read
    fault = _line_fault(case, path, read, COLUMNS)
    return (LOSS, fault) if fault else _checked(read, path, _malformed(read))


def _line_fault(case: Case, path: Path, read: list, columns: tuple[str, ...]) -> str:
    """What is wrong with the account of a file's lines; nothing, or a sentence."""
    lines = _text_of(path).splitlines()
    rows = sum(len(batch.lines) for batch in read)
    rejected = [rejection for batch in read for rejection in batch.rejected]
    aside = sum((Counter(batch.aside) for batch in read), Counter())
    if len(lines) != rows + len(rejected) + aside.total():
        counted = f"{rows} rows, {len(rejected)} malformed, {dict(aside)}"
        return f"{len(lines)} lines, but {counted}"
    return _lost(case, lines, read, {rejection.line for rejection in rejected}, columns)


def _row_fault(path: Path, read: list) -> str:
    """What is wrong with the account of a Parquet file's rows; nothing, or a sentence."""
    import pyarrow.parquet as pq

    rows = sum(len(batch.lines) + len(batch.rejected) for batch in read)
    held = pq.ParquetFile(path).metadata.num_rows
    return "" if rows == held else f"{held} rows, but {rows} delivered or malformed"


def _malformed(read: list) -> bool:
    return any(batch.rejected for batch in read)


def judge_parquet(case: Case, path: Path) -> tuple[str, str]:
    """Reads a Parquet file and checks that its rows are all there."""
    from mtlx.components.log_example_gen.readers.parquet import Parquet

    read = _read(Parquet(), path, _NAMED)
    if isinstance(read, tuple):
        return read
    fault = _row_fault(path, read)
    return (LOSS, fault) if fault else _checked(read, path, _malformed(read))


def judge_columns(case: Case, path: Path) -> tuple[str, str]:
    """Reads a CSV file with columns of the newer kinds, and holds each row against its fate."""
    from mtlx.components.log_example_gen.readers.csv import Csv

    read = _read(Csv(delimiter=case.delimiter), path, NEWER_COLUMNS)
    if isinstance(read, tuple):
        return read
    fault = _line_fault(case, path, read, NEWER_COLUMNS)
    return (LOSS, fault) if fault else _checked_fates(read, path)


def judge_lists(case: Case, path: Path) -> tuple[str, str]:
    """Reads a Parquet file with columns of the newer kinds, and holds each row against its fate."""
    from mtlx.components.log_example_gen.readers.parquet import Parquet

    read = _read(Parquet(), path, NEWER_COLUMNS)
    if isinstance(read, tuple):
        return read
    fault = _row_fault(path, read)
    return (LOSS, fault) if fault else _checked_fates(read, path)


def judge_yaml(case: Case, path: Path) -> tuple[str, str]:
    """Reads an experiment file."""
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment

    try:
        read_experiment(path)
    except ExperimentFileError as error:
        return _refused(error, path)
    return ACCEPTED, ""


#: How a file of every kind is judged.
JUDGES: dict[str, Callable[[Case, Path], tuple[str, str]]] = {
    "csv": judge_text,
    "gzip": judge_text,
    "parquet": judge_parquet,
    "yaml": judge_yaml,
    "columns": judge_columns,
    "lists": judge_lists,
}


def judge(kind: str, case: Case, folder: Path) -> tuple[str, str]:
    """Writes a case's file and reads it.

    Returns:
        The outcome, and what was wrong with it.
    """
    path = folder / case.name
    path.write_bytes(case.data)
    try:
        return JUDGES[kind](case, path)
    except Exception as error:  # Whatever it is, a user would see it.
        return TRACEBACK, _described(error)


def _read(reader: object, path: Path, columns: tuple[str, ...]) -> list | tuple[str, str]:
    """All batches of a file, or the outcome where it is refused."""
    from mtlx.components.log_example_gen.rejection import InputRefused

    try:
        shards = reader.shards([str(path)])
        return [batch for shard in shards for batch in reader.read(shard, list(columns))]
    except InputRefused as error:
        return _refused(error, path)


def _checked(read: list, path: Path, malformed: bool) -> tuple[str, str]:
    """The outcome behind the checks of the data contract."""
    from mtlx.components.log_example_gen.rejection import InputRefused
    from mtlx.components.log_example_gen.row_checks import RowChecks
    from mtlx.transform.contract.data_contract import DataContract

    checks = RowChecks(DataContract.read(_CONTRACT), path.suffix != ".parquet")
    for batch in read:
        try:
            checked = checks.check(batch, str(path))
        except InputRefused as error:
            return _refused(error, path)
        found = checked.examples.num_rows + len(checked.rejected)
        if found != len(batch.lines) + len(batch.rejected):
            return LOSS, f"of {len(batch.lines)} rows {found} passed or failed the checks"
        malformed |= bool(checked.rejected)
    return (COUNTED if malformed else ACCEPTED), ""


def _checked_fates(read: list, path: Path) -> tuple[str, str]:
    """The outcome behind the checks of the newer columns' contract, each row by itself."""
    from mtlx.components.log_example_gen.rejection import InputRefused
    from mtlx.components.log_example_gen.row_checks import RowChecks
    from mtlx.transform.contract.data_contract import DataContract
    from mtlx.transform.contract.rows.condition import Condition

    where = [Condition.read(dict(condition)) for condition in WHERE]
    checks = RowChecks(DataContract.read(NEWER_CONTRACT), "quarantine", where=where)
    malformed = _malformed(read)
    for batch in read:
        expected = list(map(fate, batch.columns.to_pylist()))
        try:
            checked = checks.check(batch, str(path))
        except InputRefused as error:
            return _refused(error, path)
        own = len(batch.lines)
        found = dict(zip(np.asarray(batch.lines).tolist(), checked.kept.tolist(), strict=True))
        lines = {row.line for row in checked.rejected[len(batch.rejected) :]}
        told = [
            "kept" if kept else "malformed" if line in lines else "filtered"
            for line, kept in found.items()
        ]
        if told != expected:
            place = next(i for i in range(own) if told[i] != expected[i])
            return LOSS, f"row {place} is {told[place]}, not {expected[place]}"
        counted = checked.examples.num_rows + checked.filtered + len(lines)
        if counted != own or told.count("filtered") != checked.filtered:
            return LOSS, f"of {own} rows {counted} are accounted for"
        malformed |= bool(lines)
        if fault := _uneven(checked.examples):
            return LOSS, fault
    return (COUNTED if malformed else ACCEPTED), ""


def _uneven(examples: Any) -> str:
    """Lists of an example that do not go together; nothing, or a sentence."""
    rows = examples.to_pylist()
    for row in rows:
        for values, beside in (
            ("tags", "tags.weights"),
            ("marked", "marked.weights"),
            ("clicks", "clicks.shop"),
        ):
            if len(row[values]) != len(row[beside]):
                return f"{len(row[values])} {values}, but {len(row[beside])} {beside}"
        numbers = [*row["text"], *row["tags.weights"], *row["marked.weights"], *row["watch"]]
        if len(row["text"]) not in (0, 3) or not np.isfinite(numbers).all():
            return f"a vector {row['text']}, or a number that is none: {numbers}"
        if not 0 <= row["weight/row"][0] <= 5 or row["watch >= 30"][0] != (row["watch"][0] >= 30):
            return f"weight {row['weight/row']}, label {row['watch >= 30']} of {row['watch']}"
    return ""


def _text_of(path: Path) -> bytes:
    """The text, unpacked by the standard library alone."""
    import gzip

    data = path.read_bytes()
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return data.removeprefix(b"\xef\xbb\xbf")


def _lost(
    case: Case, lines: list[bytes], read: list, malformed: set[int], columns: tuple[str, ...]
) -> str:
    """A row that the damage left whole, but that was not delivered as it stands."""
    delivered = {}
    for batch in read:
        found = batch.columns.to_pydict()
        for place, line in enumerate(np.asarray(batch.lines).tolist()):
            delivered[line] = [found[name][place] for name in columns[:3]]
    for number, line in enumerate(lines, 1):
        if line not in case.whole or number in malformed:
            continue
        values = next(csv.reader([line.decode()], delimiter=case.delimiter))
        if number not in delivered:
            return f"line {number} is within another row: {line[:80]!r}"
        if len(values) == len(columns) and delivered[number] != values[:3]:
            return f"line {number} was delivered as {delivered[number]}: {line[:80]!r}"
    return ""


def _refused(error: Exception, path: Path) -> tuple[str, str]:
    """Clear, where the message names the file."""
    clear = str(path) in str(error) and str(error).strip()
    return (REFUSED, "") if clear else (UNCLEAR, _described(error))


def _described(error: Exception) -> str:
    place = ""
    frame = error.__traceback__
    while frame is not None:
        name = frame.tb_frame.f_code.co_filename
        place = f" at {Path(name).name}:{frame.tb_lineno}"
        frame = frame.tb_next
    # Places and values differ from case to case; the kind of error is what is counted.
    words = re.sub(r"\d+", "N", str(error).splitlines()[0] if str(error) else "")[:100]
    return f"{type(error).__name__}{place}: {words}"
