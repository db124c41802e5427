"""Which serving logs a run looks at, and what of their columns is there; without TensorFlow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.files import matching_files
from mtlx.components.log_example_gen.readers.reader import Reader, Shard
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.spans.span_files import span_files
from mtlx.components.log_example_gen.spans.span_marks import has_span, is_date, span_words
from mtlx.components.skew_guard.settings import SkewSettings
from mtlx.transform.contract.data_contract import DataContract

#: Files whose columns are looked at, evenly chosen.
_LOOKED_AT = 20


@dataclass(frozen=True)
class ServingLogs:
    """The serving logs of a run.

    Attributes:
        files: sorted; empty where there are none.
        span: that they are of; None where they do not come in spans.
        note: why there are none, or older ones; a sentence without its full stop, or empty.
    """

    files: tuple[str, ...]
    span: int | None = None
    note: str = ""


def serving_reader(data: DataSettings, skew: SkewSettings) -> Reader:
    """The reader of the serving logs."""
    if skew.reader is None:
        return READERS.build(data.reader, data.options)
    return READERS.build(skew.reader, skew.options)


def serving_patterns(data: DataSettings, skew: SkewSettings) -> list[str]:
    """Glob patterns of the files behind `data.serving_path`; a folder's are all in it."""
    reader = serving_reader(data, skew)
    return [pattern for path in data.serving_path or () for pattern in reader.patterns(path)]


def serving_logs(patterns: Iterable[str], spans: Sequence[int]) -> ServingLogs:
    """Finds the logs.

    Args:
        patterns: absolute; all of them with a place for the span, or none.
        spans: that the run has read, the newest last; empty where its logs have none.
    """
    patterns = list(patterns)
    where = " or ".join(patterns)
    if not any(has_span(pattern) for pattern in patterns):
        files = sorted({file for pattern in patterns for file in matching_files(pattern)})
        note = "" if files else f"no serving logs are there yet: no file matches {where}"
        return ServingLogs(tuple(files), None, note)
    found: dict[int, list[str]] = {}
    for pattern in patterns:
        for span, files in span_files(pattern).items():
            found.setdefault(span, []).extend(files)
    date, newest = is_date(patterns), max(spans)
    lacking = f"serving logs of span {span_words(newest, date)} are not there yet"
    there = [span for span in spans if span in found]
    if not there:
        return ServingLogs((), None, f"{lacking}: no file of it matches {where}")
    span = max(there)
    note = (
        ""
        if span == newest
        else f"{lacking}; those of span {span_words(span, date)} are the newest"
    )
    return ServingLogs(tuple(sorted(set(found[span]))), span, note)


def needed_columns(contract: DataContract, skew: SkewSettings) -> list[str]:
    """Columns that serving logs have to have: what `skew` names."""
    names = [*skew.scores.values(), *([skew.version] if skew.version else [])]
    if skew.key is not None:
        names.append(contract.column(skew.key))
    return list(dict.fromkeys(names))


def lacking_columns(
    reader: Reader, shards: Sequence[Shard], needed: Sequence[str], wanted: Sequence[str]
) -> list[str]:
    """Looks into the beginning of some files for the columns.

    Args:
        reader: of the logs.
        shards: of all files.
        needed: columns that must be there.
        wanted: columns that may be missing.

    Returns:
        Those of `wanted` that a file lacks.

    Raises:
        InputRefused: a file cannot be read, or lacks a column of `needed`, or all of `wanted`.
    """
    firsts = list({shard.files[0]: shard for shard in reversed(shards)}.values())[::-1]
    count = min(len(firsts), _LOOKED_AT)
    lacking: dict[str, None] = {}
    for index in range(count):
        shard = firsts[index * (len(firsts) - 1) // max(count - 1, 1)]
        if needed:
            _begin(reader, shard, needed)
        try:
            _begin(reader, shard, wanted)
        except InputRefused:
            gone = [column for column in wanted if not _has(reader, shard, column)]
            if len(gone) == len(wanted):
                raise
            lacking |= dict.fromkeys(gone)
    return list(lacking)


def _has(reader: Reader, shard: Shard, column: str) -> bool:
    try:
        _begin(reader, shard, [column])
    except InputRefused:
        return False
    return True


def _begin(reader: Reader, shard: Shard, columns: Sequence[str]) -> None:
    next(iter(reader.read(shard, list(columns))), None)
