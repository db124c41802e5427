"""The columns of scored rows: where each stands in its log, its scores, what is carried along."""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from mtlx.components.batch_scoring.scoring_refused import ScoringRefused
from mtlx.components.log_example_gen.readers.reader import Rows

#: Where a row stands: the path of its log, and its line (its row, of files without lines).
FILE, LINE = "file", "line"
_PREFIX = "score_"


def score_column(task: str) -> str:
    """Name of a task's scores: another than the label's, which is often called like the task."""
    return f"{_PREFIX}{task}"


def check_carried(carried: Sequence[str], tasks: Iterable[str]) -> None:
    """Refuses columns of the log that are called like those that scoring adds, or named twice.

    Raises:
        ScoringRefused: names them.
    """
    made = {FILE, LINE, *map(score_column, tasks)}
    taken = [column for column in carried if column in made]
    if taken:
        raise ScoringRefused(f"columns: scoring writes a column {taken[0]!r} of its own")
    twice = [column for column in carried if list(carried).count(column) > 1]
    if twice:
        raise ScoringRefused(f"columns: {twice[0]!r} is named twice")


def scored_table(
    file: str, rows: Rows, kept: np.ndarray, scores: dict[str, np.ndarray], carried: list[str]
) -> pa.Table:
    """Rows as they are written.

    Args:
        file: path of their log.
        rows: a batch as it was read.
        kept: ``(n,)`` bool, which of the rows are scored.
        scores: by task ``(kept rows,)`` float32.
        carried: columns of the log that are taken over as they are.
    """
    chosen = rows.columns.select(carried).filter(pa.array(kept))
    lines = rows.lines[kept]
    columns = {
        FILE: pa.array([file] * len(lines), pa.string()),
        LINE: pa.array(lines, pa.int64()),
        **{score_column(task): pa.array(values, pa.float32()) for task, values in scores.items()},
        **{name: chosen[name] for name in carried},
    }
    return pa.table(columns)
