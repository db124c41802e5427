"""Which files a run would read, found without TFX."""

import os
import re

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.files import is_remote, matching_files
from mtlx.components.log_example_gen.readers.reader import Reader
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings, FileSplit, span_number
from mtlx.components.log_example_gen.spans.span_files import span_files
from mtlx.components.log_example_gen.spans.span_marks import has_span
from mtlx.components.log_example_gen.spans.window_plan import WindowPlan, plan_window
from mtlx.pipeline.experiment.experiment import Experiment


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
    plan = window_of(experiment)
    if plan is not None:
        return [file for span in plan.spans for file in plan.files[span]]
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


def window_of(experiment: Experiment) -> WindowPlan | None:
    """The spans that a run would be made of; None without a window.

    Args:
        experiment: its data paths are absolute.

    Raises:
        InputRefused: see `plan_window`.
    """
    data = experiment.data
    if data.window is None:
        return None
    reader = READERS.build(data.reader, data.options)
    patterns = [pattern for path in data.path for pattern in reader.patterns(path)]
    matures_after = experiment.contract.matures_after
    return plan_window(patterns, data.window, data.gaps, data.span, matures_after)


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
    if not has_span(pattern):
        return matching_files(pattern)
    found = span_files(pattern)
    wanted = max(found, default=None) if span is None else span_number(span)
    return found.get(wanted, []) if wanted is not None else []


def shown_path(path: str) -> str:
    """A path as short as it can be: from here where that is below."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
