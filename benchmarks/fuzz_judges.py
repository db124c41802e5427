"""What became of a damaged file."""

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.fuzz_cases import COLUMNS, Case

#: Outcomes that are right.
REFUSED, ACCEPTED, COUNTED = "refused clearly", "accepted", "malformed counted"
#: Outcomes that are not; the last two are given by who watches the process.
TRACEBACK, UNCLEAR, LOSS = "traceback", "refused without file", "silent loss"
HANG, CRASH = "hang", "crash"
RIGHT, WRONG = (REFUSED, ACCEPTED, COUNTED), (UNCLEAR, TRACEBACK, LOSS, HANG, CRASH)

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

    read = _read(Csv(delimiter=case.delimiter), path)
    if isinstance(read, tuple):
        return read
    lines = _text_of(path).splitlines()
    rows = sum(len(batch.lines) for batch in read)
    rejected = [rejection for batch in read for rejection in batch.rejected]
    aside = sum((Counter(batch.aside) for batch in read), Counter())
    if len(lines) != rows + len(rejected) + aside.total():
        counted = f"{rows} rows, {len(rejected)} malformed, {dict(aside)}"
        return LOSS, f"{len(lines)} lines, but {counted}"
    lost = _lost(case, lines, read, {rejection.line for rejection in rejected})
    if lost:
        return LOSS, lost
    return _checked(read, path, bool(rejected))


def judge_parquet(case: Case, path: Path) -> tuple[str, str]:
    """Reads a Parquet file and checks that its rows are all there."""
    import pyarrow.parquet as pq

    from mtlx.components.log_example_gen.readers.parquet import Parquet

    read = _read(Parquet(), path)
    if isinstance(read, tuple):
        return read
    rows = sum(len(batch.lines) + len(batch.rejected) for batch in read)
    held = pq.ParquetFile(path).metadata.num_rows
    if rows != held:
        return LOSS, f"{held} rows, but {rows} delivered or malformed"
    return _checked(read, path, any(batch.rejected for batch in read))


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


def _read(reader: object, path: Path) -> list | tuple[str, str]:
    """All batches of a file, or the outcome where it is refused."""
    from mtlx.components.log_example_gen.rejection import InputRefused

    try:
        shards = reader.shards([str(path)])
        columns = [name for name in COLUMNS if name != "note"]
        return [batch for shard in shards for batch in reader.read(shard, columns)]
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


def _text_of(path: Path) -> bytes:
    """The text, unpacked by the standard library alone."""
    import gzip

    data = path.read_bytes()
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return data.removeprefix(b"\xef\xbb\xbf")


def _lost(case: Case, lines: list[bytes], read: list, malformed: set[int]) -> str:
    """A row that the damage left whole, but that was not delivered as it stands."""
    delivered = {}
    for batch in read:
        columns = batch.columns.to_pydict()
        for place, line in enumerate(np.asarray(batch.lines).tolist()):
            delivered[line] = [columns[name][place] for name in ("user", "item", "price")]
    for number, line in enumerate(lines, 1):
        if line not in case.whole or number in malformed:
            continue
        values = next(csv.reader([line.decode()], delimiter=case.delimiter))
        if number not in delivered:
            return f"line {number} is within another row: {line[:80]!r}"
        if len(values) == len(COLUMNS) and delivered[number] != values[:3]:
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
