"""Reads from the Pusher's inputs what a version was made of."""

import hashlib
import os
from collections.abc import Iterable
from typing import Any

from absl import logging
from tfx import types

from mtlx.components.lineage.labels_left_out import LABELS_PROPERTY, LabelUse
from mtlx.components.model_pusher.serving_folder.files import files_of
from mtlx.components.model_pusher.serving_folder.push_lineage import (
    REVISION_VARIABLE,
    PushLineage,
    SpanNote,
)
from mtlx.components.relaimp_gate.lineage import earlier, instant
from mtlx.components.relaimp_gate.seen.seen_examples import SeenExamples
from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.slice_evaluation.results import (
    Comparison,
    EvaluationResultError,
    SliceMetrics,
    load_results,
)
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE

Artifacts = dict[str, list[types.Artifact]]


def lineage_of_push(input_dict: Artifacts, experiment: str | None) -> PushLineage:
    """Puts together what the inputs tell; what is not among them stays unknown.

    Args:
        input_dict: of `ModelPusher`.
        experiment: name of the pipeline.
    """
    tested = [SeenExamples.load(artifact) for artifact in input_dict.get("test_examples", ())]
    trained = [SeenExamples.load(artifact) for artifact in input_dict.get("train_examples", ())]
    verdict = _verdict(input_dict)
    return PushLineage(
        experiment=experiment,
        trained_on=spans_of(trained),
        tested_on=spans_of(tested),
        tested_until=tested_until(tested),
        revision=os.environ.get(REVISION_VARIABLE) or None,
        verdict=_verdict_note(verdict) if verdict else None,
        metrics=_metrics(input_dict, verdict),
        schema_digest=_schema_digest(input_dict),
        **_labels(input_dict, any(one.span_is_date for one in trained)),
    )


def _labels(input_dict: Artifacts, date: bool) -> dict[str, dict[str, tuple[SpanNote, ...]]]:
    """Which labels the training took; nothing where all are known at once."""
    use = LabelUse()
    for one in input_dict.get("transformed_examples", ()):
        use = LabelUse.of_text(one.get_string_custom_property(LABELS_PROPERTY))
    found = {"unknown_labels": use.unknown, "late_labels": use.late}
    return {
        name: {task: tuple(SpanNote(span, date) for span in some) for task, some in tasks.items()}
        for name, tasks in found.items()
    }


def spans_of(seen: Iterable[SeenExamples]) -> tuple[SpanNote, ...]:
    """The spans of examples, the oldest first; those without one are left out."""
    found = {one.span: SpanNote(one.span, one.span_is_date) for one in seen if one.span is not None}
    return tuple(found[number] for number in sorted(found))


def tested_until(seen: Iterable[SeenExamples]) -> tuple[str, float | str] | None:
    """Column and largest time of the rows that were tested on, where the split is by time."""
    latest: tuple[str, float | str] | None = None
    for one in seen:
        if one.time_column is None or "test" not in one.times:
            continue
        time = one.times["test"][1]
        if latest is None or earlier(instant(latest[1]), instant(time)):
            latest = (one.time_column, time)
    return latest


def _verdict(input_dict: Artifacts) -> Verdict | None:
    blessings = input_dict.get("model_blessing")
    return Verdict.of_blessing(blessings[0].uri) if blessings else None


def _verdict_note(verdict: Verdict) -> dict[str, Any]:
    return {
        "blessed": verdict.blessed,
        "against": verdict.baseline,
        "checks": len(verdict.checks),
    }


def _metrics(
    input_dict: Artifacts, verdict: Verdict | None
) -> dict[str, dict[str, dict[str, float | None]]]:
    """AUC and RelaImp on all rows of the tasks that the gate checked; of all, where it named none.

    What was compared with the gate's own opponent is told, else with the first that there is.
    """
    if not input_dict.get("evaluation"):
        return {}
    try:
        results = load_results(input_dict["evaluation"][0].uri)
    except EvaluationResultError as error:
        logging.warning("no metrics are noted beside the model: %s", error)
        return {}
    checked = {check.task for check in verdict.checks} if verdict else set()
    tasks = [task for task in results.tasks if task in checked] or list(results.tasks)
    opponents = [verdict.baseline] if verdict and verdict.baseline else []
    opponents += [name for name in results.models if name != CANDIDATE]
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for task in tasks:
        metric = results.metric(CANDIDATE, task)
        if metric is None:
            continue
        found[task] = {"auc": _auc(metric)}
        compared = (results.comparison(name, task) for name in opponents)
        comparison = next((one for one in compared if one is not None), None)
        if comparison is not None:
            found[task]["relaimp"] = _relaimp(comparison)
    return found


def _auc(metric: SliceMetrics) -> dict[str, float | None]:
    return {"value": metric.auc, "lower": metric.auc_lower, "upper": metric.auc_upper}


def _relaimp(comparison: Comparison) -> dict[str, float | None]:
    return {
        "value": comparison.relaimp,
        "lower": comparison.relaimp_lower,
        "upper": comparison.relaimp_upper,
    }


def _schema_digest(input_dict: Artifacts) -> str | None:
    """SHA-256 of the files of the schema, which is one."""
    if not input_dict.get("schema"):
        return None
    folder = input_dict["schema"][0].uri
    files = files_of(folder)
    digest = hashlib.sha256()
    for name in sorted(files.sizes(folder)):
        for piece in files.read(os.path.join(folder, name)):
            digest.update(piece)
    return digest.hexdigest()
