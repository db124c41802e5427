"""Leaves labels that are not known yet out of the rates that are compared."""

import dataclasses
from collections.abc import Collection

from tfx import types

from mtlx.components.batch_statistics_gen.split_counts import SplitCounts
from mtlx.components.drift_guard.described_rows import DescribedRows
from mtlx.components.lineage.labels_left_out import label_words
from mtlx.components.log_example_gen.spans.span_artifact import span_of
from mtlx.transform.contract.counted_labels import unknown_labels
from mtlx.transform.contract.data_contract import DataContract


def with_known_labels(
    rows: DescribedRows, artifacts: list[types.Artifact], contract: DataContract, newest: int
) -> DescribedRows:
    """The same rows with counts of those labels only that are known.

    Args:
        rows: of the artifacts.
        artifacts: their statistics, in the order of `rows.spans`.
        contract: whose tasks say after how many spans their labels are known.
        newest: number of the newest span.
    """
    numbers = [span_of(artifact) for artifact in artifacts]
    left_out = unknown_labels(contract, [n for n in numbers if n is not None], newest)
    if not left_out:
        return rows
    spans = tuple(
        _without(counts, left_out.get(number or 0, {}))
        for counts, number in zip(rows.spans, numbers, strict=True)
    )
    return dataclasses.replace(rows, counts=SplitCounts.merged(list(spans)), spans=spans)


def unknown_note(
    artifacts: list[types.Artifact], contract: DataContract, newest: int, date: bool
) -> str | None:
    """A sentence on what is not in the rates of labels; None where all is.

    Args:
        artifacts: statistics of all spans.
        contract: of the run.
        newest: number of the newest span.
        date: whether people name spans by their dates.
    """
    numbers = [number for one in artifacts if (number := span_of(one)) is not None]
    left_out = unknown_labels(contract, numbers, newest)
    by_task = {
        task: [span for span, tasks in left_out.items() if task in tasks] for task in contract.tasks
    }
    words = label_words({task: spans for task, spans in by_task.items() if spans}, date)
    return f"Labels that are not known yet are in no label rate: {words}" if words else None


def _without(counts: SplitCounts, tasks: Collection[str]) -> SplitCounts:
    labels = {task: found for task, found in counts.labels.items() if task not in tasks}
    return dataclasses.replace(counts, labels=labels)
