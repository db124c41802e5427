"""Which labels of which spans a training takes: those that are known, and not learnt before."""

import json
from collections.abc import Iterable, Mapping

import ml_metadata

from mtlx.components.lineage.model_lineage import known_span, trainings_behind
from mtlx.components.log_example_gen.spans.span_marks import many_words
from mtlx.transform.contract.counted_labels import LEARNT, UNKNOWN, LabelsLeftOut, LeftOut
from mtlx.transform.contract.data_contract import DataContract

#: Custom property of transformed examples: which labels do not count in them, JSON by span.
LEFT_OUT_PROPERTY = "labels_left_out"


def unknown_labels(
    contract: DataContract, spans: Iterable[int], newest: int
) -> dict[int, dict[str, LeftOut]]:
    """The labels of spans that are not known when a span is the newest.

    Args:
        contract: whose tasks say after how many spans their labels are.
        spans: by number.
        newest: number of the run's newest span.

    Returns:
        The spans that have such, in order.
    """
    found = {
        span: {
            task: UNKNOWN for task, after in contract.matures_after.items() if newest - span < after
        }
        for span in sorted(set(spans))
    }
    return {span: tasks for span, tasks in found.items() if tasks}


def learnt_labels(
    store: ml_metadata.MetadataStore, model: int, contract: DataContract
) -> dict[int, set[str]]:
    """The tasks whose labels went into a model's weights, by span.

    Args:
        store: ML-Metadata.
        model: number of its artifact; what the models saw that it went on from counts, too.
        contract: today's.

    Returns:
        All spans that were seen, those of which no label counted with no task.
    """
    learnt: dict[int, set[str]] = {}
    for training in trainings_behind(store, model):
        left_out: dict[int, dict[str, LeftOut]] = {}
        for artifact in _artifacts(store, training.transformed):
            left_out |= read_left_out(artifact.custom_properties[LEFT_OUT_PROPERTY].string_value)
        for artifact in _artifacts(store, training.examples):
            span = known_span(artifact)
            if span is not None:
                counted = contract.tasks.keys() - left_out.get(span, {}).keys()
                learnt.setdefault(span, set()).update(counted)
    return learnt


def labels_left_out(
    contract: DataContract,
    spans: Iterable[int],
    newest: int,
    learnt: Mapping[int, set[str]] | None = None,
) -> dict[int, dict[str, LeftOut]]:
    """The labels of spans that a training does not take.

    Args:
        contract: of the run.
        spans: that train, by number.
        newest: number of the run's newest span.
        learnt: what the base model has learnt, where that is not to be learnt twice.

    Returns:
        By span and task why; spans of which all labels are taken are not there.
    """
    spans = sorted(set(spans))
    found = unknown_labels(contract, spans, newest)
    for span in spans:
        for task in contract.tasks:
            if task in (learnt or {}).get(span, ()) and task not in found.get(span, {}):
                found.setdefault(span, {})[task] = LEARNT
    return {span: found[span] for span in spans if span in found}


def write_left_out(left_out: LabelsLeftOut) -> str:
    """As a property holds it."""
    return json.dumps({str(span): dict(tasks) for span, tasks in left_out.items()})


def read_left_out(text: str) -> dict[int, dict[str, LeftOut]]:
    """Inverse of `write_left_out`; of no text, nothing is left out."""
    return {int(span): tasks for span, tasks in json.loads(text or "{}").items()}


def late_labels(left_out: LabelsLeftOut, contract: DataContract) -> dict[str, list[int]]:
    """The spans of which a training takes labels that came late, by task.

    Args:
        left_out: of the training.
        contract: of the run.
    """
    found: dict[str, list[int]] = {}
    for span, tasks in left_out.items():
        if LEARNT in tasks.values():
            for task in contract.tasks:
                if task not in tasks:
                    found.setdefault(task, []).append(span)
    return found


def late_words(late: Mapping[str, Iterable[int]], date: bool) -> str:
    """``purchase of span 2024-01-10; cart of spans 8 to 9``; empty for none."""
    parts = []
    for task, spans in late.items():
        spans = list(spans)
        parts.append(f"{task} of span{'s' if len(spans) > 1 else ''} {many_words(spans, date)}")
    return "; ".join(parts)


def unknown_words(left_out: LabelsLeftOut, date: bool) -> str:
    """The labels that are not known, likewise."""
    by_task: dict[str, list[int]] = {}
    for span, tasks in left_out.items():
        for task, why in tasks.items():
            if why == UNKNOWN:
                by_task.setdefault(task, []).append(span)
    return late_words(by_task, date)


def _artifacts(store: ml_metadata.MetadataStore, numbers: Iterable[int]) -> list[object]:
    wanted = sorted(numbers)
    return list(store.get_artifacts_by_id(wanted)) if wanted else []
