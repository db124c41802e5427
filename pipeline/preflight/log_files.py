"""Whether the logs are there, of the right kind and columns, and have a split: by their heads."""

import zlib
from collections.abc import Iterable, Iterator

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.parquet import Parquet
from mtlx.components.log_example_gen.readers.reader import Reader, Rows
from mtlx.components.log_example_gen.rejection import InputRefused, Rejection
from mtlx.components.log_example_gen.settings import FileSplit, Split
from mtlx.components.log_example_gen.spans.span_marks import span_words
from mtlx.components.log_example_gen.spans.window_plan import WindowPlan
from mtlx.components.log_example_gen.splits import splitter
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.log_sample.block_rows import block_rows
from mtlx.pipeline.log_sample.input_files import input_files, is_seen_from_here, window_of
from mtlx.pipeline.log_sample.row_check import RowCheck
from mtlx.pipeline.log_sample.text_blocks import TextBlocks, TextForm, text_form

#: Files that are looked into, evenly chosen; a run reads all of them.
_MOST_FILES = 40
#: Bytes of text of each.
_HEAD_BYTES = 1 << 16
_NO_ROWS = "no rows"

#: Formats by their first bytes, and what to do about them where text is expected.
_BINARY = {
    b"PAR1": ("Parquet", "set data.reader: parquet"),
    b"PK\x03\x04": ("zip", "unpack it"),
    b"ORC": ("ORC", "convert it to Parquet"),
    b"Obj\x01": ("Avro", "convert it to Parquet"),
    b"\x28\xb5\x2f\xfd": ("Zstandard", "unpack it, or pack it with gzip"),
    b"BZh": ("bzip2", "unpack it, or pack it with gzip"),
    b"\xfd7zXZ": ("xz", "unpack it, or pack it with gzip"),
}


def log_problems(experiment: Experiment, must_exist: bool) -> list[str]:
    """What is wrong with the logs, as far as names, splits and the heads of files show it.

    Args:
        experiment: its data paths are absolute.
        must_exist: logs that are not there are wrong; else they are not seen from here.

    Returns:
        One sentence per problem, beginning with the key.
    """
    data = experiment.data
    if not is_seen_from_here(data):
        return []
    reader = READERS.build(data.reader, data.options)
    form = text_form(reader, data.options)
    try:
        plan = window_of(experiment)
        if plan is not None:
            return _span_problems(experiment, plan, reader, form)
        files = input_files(experiment, reader)
    except InputRefused as error:
        return [f"data.path: {error}"] if must_exist else []
    problems = [f"data: {text}" for text in kind_problems(reader, evenly(files), form)]
    if experiment.components.example_gen == "log":  # CsvExampleGen's patterns are its files
        problems += [f"data.split: {text}" for text in _split_problems(data.split, files)]
    return problems or [f"data: {text}" for text in _head_problems(experiment, reader, files, form)]


def _span_problems(
    experiment: Experiment, plan: WindowPlan, reader: Reader, form: TextForm | None
) -> list[str]:
    """What is wrong with the spans of a window, each looked into; the first problem of each."""
    data, problems = experiment.data, []
    for span in plan.spans:
        files = list(plan.files[span])
        some = evenly(files, max(1, _MOST_FILES // len(plan.spans)))
        found = kind_problems(reader, some, form)
        found = found or _head_problems(experiment, reader, some, form, whole=some == files)
        newest = span == plan.newest
        if found == [_NO_ROWS] and data.gaps == "allow" and not newest:
            continue  # The run goes on without, and says so.
        remedy = "" if newest else ", or set data.gaps: allow to go on without"
        problems += [
            f"data: span {span_words(span, plan.date)}: "
            + (f"{text} in {', '.join(some[:2])}: mend it{remedy}" if text == _NO_ROWS else text)
            for text in found
        ]
    return problems


def _split_problems(split: Split, files: Iterable[str]) -> list[str]:
    """Patterns of a split by file that match no file, and files of no split, or of two."""
    if not isinstance(split, FileSplit):
        return []
    files = list(files)
    problems = [
        f"{name}: no file matches {pattern!r}; there are {len(files)}, such as {files[0]}"
        for name in splitter.SPLITS
        for pattern in getattr(split, name) or ()
        if not any(splitter.matches_file(pattern, file) for file in files)
    ]
    for file in files:
        try:
            splitter.file_split(split, file)
        except InputRefused as error:
            return [*problems, str(error)]
    return problems


def kind_problems(reader: Reader, files: list[str], form: TextForm | None) -> list[str]:
    """The first file of another format than the reader's."""
    parquet = isinstance(reader, Parquet)
    for file in files if form is not None or parquet else ():
        try:
            with open(file, "rb") as stream:
                head = stream.read(8)
        except OSError as error:
            return [f"{file}: {error.strerror}"]
        if form is not None:
            for magic, (kind, remedy) in _BINARY.items():
                if head.startswith(magic):
                    return [f"{file}: is a {kind} file, not text: {remedy}"]
        elif head and not head.startswith((b"PAR1", b"PARE")):
            packed = " (it is packed with gzip)" if head.startswith(b"\x1f\x8b") else ""
            return [f"{file}: is no Parquet file{packed}; for text set data.reader: csv"]
    return []


def _head_problems(
    experiment: Experiment,
    reader: Reader,
    files: list[str],
    form: TextForm | None,
    whole: bool = False,
) -> list[str]:
    """What the run's reader and row checks say to the first rows; one problem is enough.

    That there are no rows is said where the files are `whole`, all that there are.
    """
    check = RowCheck(experiment)
    rows, kept, filtered = 0, 0, 0
    example: Rejection | None = None
    try:
        for file, batch in _heads(reader, files, form, check.columns):
            if experiment.components.example_gen == "stock":
                continue  # It has no row checks of ours.
            checked, _ = check.check(check.join(batch, file), file, file)
            rows += len(checked.kept) + len(batch.rejected)
            kept += int(checked.kept.sum())
            filtered += checked.filtered
            example = example or next(iter(checked.rejected), None)
    except InputRefused as error:
        return [str(error)]
    # Rows that data.where leaves out say nothing: those behind the heads may be others.
    if rows > filtered and not kept:
        which = f"{rows} rows" if not filtered else f"{rows - filtered} rows that meet data.where"
        return [f"all of the first {which} are malformed, such as {example}"]
    if whole and not rows and (form is not None or isinstance(reader, Parquet)):
        return [_NO_ROWS]
    return []


def _heads(
    reader: Reader, files: list[str], form: TextForm | None, columns: list[str]
) -> Iterator[tuple[str, Rows]]:
    """The first rows of files; none of data sets that have to be read as a whole."""
    if form is not None:
        for file in evenly(_shard_files(reader, files)):
            for rows in _text_head(reader, file, form, columns):
                yield file, rows
    elif isinstance(reader, Parquet):
        for file in evenly(files):
            for shard in reader.shards([file])[:1]:
                first = next(reader.read(shard, columns), None)
                if first is not None:
                    yield file, first
    else:
        reader.shards(files)


def _text_head(reader: Reader, file: str, form: TextForm, columns: list[str]) -> list[Rows]:
    try:
        with TextBlocks(reader, file, form) as blocks:
            block = blocks.read(0, _HEAD_BYTES)
        return list(block_rows(reader, file, block, columns))
    except InputRefused:
        raise
    except (ValueError, OSError, EOFError, zlib.error) as error:
        # Some of what is broken is not seen by the reader, but by a library below it.
        raise InputRefused(f"{file}: cannot be read: {_first_line(error)}") from error


def _shard_files(reader: Reader, files: list[str]) -> list[str]:
    """Files that the reader makes shards of: one that lies there twice is read once."""
    return [file for shard in reader.shards(files) for file in shard.files]


def evenly(files: list[str], most: int = _MOST_FILES) -> list[str]:
    """At most so many, the first and, of several, the last among them."""
    if len(files) <= most:
        return files
    last = len(files) - 1
    return [files[round(index * last / max(most - 1, 1))] for index in range(most)]


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
