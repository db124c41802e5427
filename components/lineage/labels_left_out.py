"""Which labels of which spans a training takes: those that are known, and not learnt before."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from mtlx.components.lineage.model_lineage import known_span, trainings_behind
from mtlx.components.log_example_gen.spans.span_marks import many_words
from mtlx.transform.contract.counted_labels import (
    LEARNT,
    UNKNOWN,
    LeftOut,
    unknown_labels,
)
from mtlx.transform.contract.data_contract import DataContract

#: Custom property of transformed examples: which labels count in them, `LabelUse` as text.
LABELS_PROPERTY = "labels"


@dataclass(frozen=True)
class LabelUse:
    """Which labels a training takes.

    Attributes:
        left_out: by span and task why labels do not count.
        tasks: all that there are.
    """

    left_out: dict[int, dict[str, LeftOut]] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As a property holds it."""
        return json.dumps({"left_out": self.left_out, "tasks": self.tasks})

    @classmethod
    def of_text(cls, text: str | None) -> "LabelUse":
        """Inverse of `text`; where there is none, all labels count."""
        if not text:
            return cls()
        values = json.loads(text)
        left_out = {int(span): tasks for span, tasks in values["left_out"].items()}
        return cls(left_out, tuple(values["tasks"]))

    @property
    def unknown(self) -> dict[str, list[int]]:
        """By task the spans whose labels are not known yet."""
        found = {
            task: [span for span, tasks in self.left_out.items() if tasks.get(task) == UNKNOWN]
            for task in self.tasks
        }
        return {task: spans for task, spans in found.items() if spans}

    @property
    def late(self) -> dict[str, list[int]]:
        """By task the spans that are read again for labels which were not known before."""
        again = {span: tasks for span, tasks in self.left_out.items() if LEARNT in tasks.values()}
        found = {
            task: [span for span, tasks in again.items() if task not in tasks]
            for task in self.tasks
        }
        return {task: spans for task, spans in found.items() if spans}


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
        use = LabelUse()
        for artifact in _artifacts(store, training.transformed):
            use = LabelUse.of_text(artifact.custom_properties[LABELS_PROPERTY].string_value)
        for artifact in _artifacts(store, training.examples):
            span = known_span(artifact)
            if span is not None:
                counted = {*(use.tasks or contract.tasks)} - use.left_out.get(span, {}).keys()
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


def label_words(labels: Mapping[str, Iterable[int]], date: bool) -> str:
    """``purchase of span 2024-01-10; cart of spans 8 to 9``; empty for none."""
    parts = []
    for task, spans in labels.items():
        spans = list(spans)
        parts.append(f"{task} of span{'s' if len(spans) > 1 else ''} {many_words(spans, date)}")
    return "; ".join(parts)


def _artifacts(
    store: ml_metadata.MetadataStore, numbers: Iterable[int]
) -> list[metadata_store_pb2.Artifact]:
    wanted = sorted(numbers)
    return list(store.get_artifacts_by_id(wanted)) if wanted else []
