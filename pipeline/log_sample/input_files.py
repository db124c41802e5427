"""Which files a run would read, found without TFX."""

import datetime
import os
import re

from mtlx.components.log_example_gen.readers.files import is_remote, matching_files
from mtlx.components.log_example_gen.readers.reader import Reader
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings, FileSplit, span_number
from mtlx.pipeline.experiment.experiment import Experiment

#: Marks of a portion of the logs, and what a pattern of file names may hold besides.
_TOKEN = re.compile(r"(\{[A-Z]+(?::\d+)?\}|\*|\?|\[[^]/]*\])")
_EPOCH = datetime.date(1970, 1, 1)


def is_seen_from_here(data: DataSettings) -> bool:
    """Whether all of `data.path` is meant for this machine's file system."""
    return not any(is_remote(path) for path in data.path)


def input_files(experiment: Experiment, reader: Reader) -> list[str]:
    """The files that a run would read, in order.

    Args:
        experiment: its data paths are absolute.
        reader: of its logs.

    Raises:
        InputRefused: no file matches, or the span has no place or no files.
    """
    data = experiment.data
    patterns = [pattern for path in data.path for pattern in reader.patterns(path)]
    if experiment.components.example_gen == "stock" and isinstance(data.split, FileSplit):
        patterns = _of_splits(data.split, patterns)
    found = {pattern: _matching(pattern, data.span) for pattern in patterns}
    lacking = [pattern for pattern, files in found.items() if not files]
    if len(lacking) == len(patterns) or (lacking and not reader.alternatives):
        span = f" with span {data.span}" if data.span is not None else ""
        address = f". The data set is at {reader.address}" if reader.address else ""
        raise InputRefused(
            f"no file matches {' or '.join(lacking)}{span}: check data.path, and --data or "
            f"MTLX_DATA for relative paths{address}"
        )
    return list(dict.fromkeys(file for files in found.values() for file in files))


def _of_splits(split: FileSplit, patterns: list[str]) -> list[str]:
    """What CsvExampleGen reads: the splits' patterns in the folder that all paths begin with."""
    folders = [f"{os.path.dirname(re.split(r'[*?{[]', pattern)[0])}/" for pattern in patterns]
    folder = os.path.commonprefix(folders).rpartition("/")[0]
    return [
        os.path.join(folder, pattern)
        for name in ("train", "validation", "test")
        for pattern in getattr(split, name)
    ]


def _matching(pattern: str, span: int | str | None) -> list[str]:
    """Files of a pattern; of those with a span in their path the wanted one's, or the latest."""
    if "{" not in pattern:
        return matching_files(pattern)
    tokens = _TOKEN.split(pattern)
    files = matching_files("".join("*" if t.startswith("{") else t for t in tokens))
    expression = re.compile("".join(_expression(token) for token in tokens))
    numbered = [
        (_numbers(match.groupdict()), file)
        for file in files
        if (match := expression.fullmatch(file)) is not None
    ]
    if span is not None:
        wanted = span_number(span)
        numbered = [(numbers, file) for numbers, file in numbered if numbers[0] == wanted]
    latest = max((numbers for numbers, _ in numbered), default=None)
    return [file for numbers, file in numbered if numbers == latest]


def _expression(token: str) -> str:
    """A token of a pattern as a regular expression."""
    if token.startswith("{"):
        name, _, width = token.strip("{}").partition(":")
        fixed = {"YYYY": "4", "MM": "2", "DD": "2"}.get(name, width)
        return rf"(?P<{name}>\d{{{fixed}}})" if fixed else rf"(?P<{name}>\d+)"
    special = {"*": "[^/]*", "?": "[^/]"}
    if token in special:
        return special[token]
    if token.startswith("[") and token.endswith("]") and len(token) > 2:
        return token.replace("[!", "[^", 1)
    return re.escape(token)


def _numbers(groups: dict[str, str]) -> tuple[int, int]:
    """Span and version."""
    version = int(groups.get("VERSION", 0))
    if "SPAN" in groups:
        return int(groups["SPAN"]), version
    try:
        date = datetime.date(*(int(groups[name]) for name in ("YYYY", "MM", "DD")))
    except (KeyError, ValueError):
        return -1, version
    return (date - _EPOCH).days, version


def shown_path(path: str) -> str:
    """A path as short as it can be: from here where that is below."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
