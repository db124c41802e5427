"""Loads a report's data from artifacts, of which any may be absent."""

from collections.abc import Mapping
from typing import Any

import pydantic
import tensorflow as tf
from tfx import types
from tfx.components.evaluator import constants
from tfx.types import artifact_utils

from mtlx.components.anomaly_guard.anomalies import Anomaly, load_anomalies
from mtlx.components.drift_guard.drift_result import Drift
from mtlx.components.lineage.labels_left_out import LABELS_PROPERTY, LabelUse
from mtlx.components.log_example_gen.ingestion_summary import (
    IngestionSummary,
    read_ingestion_summary,
)
from mtlx.components.log_example_gen.spans.span_artifact import by_span, span_of
from mtlx.components.model_insight.insight_result import ModelInsights
from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.report.best_possible import as_served
from mtlx.components.report.best_possible_path import span_path
from mtlx.components.report.report_data import AucBySlice, SplitStatistics, Training
from mtlx.components.report.sections.data_statistics import load_statistics, sample_rates
from mtlx.components.report.sections.window_view import SpanView, window_notice, window_view
from mtlx.components.serving_check.serving_outcome import ServingOutcome
from mtlx.components.skew_guard.skew_result import Skew
from mtlx.components.slice_evaluation.metrics.score_bins import ReliabilityCurve
from mtlx.components.slice_evaluation.results import (
    EvaluationResultError,
    SliceResults,
    load_results,
)
from mtlx.components.slice_evaluation.statistics.roc_curve import RocCurve, load_roc_curves
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE, REFERENCE
from mtlx.components.slice_evaluation.stored.reliability_curve import load_reliability_curves
from mtlx.trainer.validation.history import HISTORY_FILE, read_history
from mtlx.transform.contract.counted_labels import LeftOut


class Sources:
    """Reads each part of a report; what cannot be shown becomes a notice.

    Args:
        inputs: artifacts by the component's input names.

    Attributes:
        notices: sentences for the reader, one for each part that is not there.
        best_without: columns that the best possible AUC is reached without.
    """

    def __init__(self, inputs: dict[str, list[types.Artifact]]):
        self._inputs = inputs
        self.notices: list[str] = []
        self.best_without: tuple[str, ...] = ()

    def verdict(self) -> Verdict | None:
        """The gate's verdict; of a stock blessing, the decision without checks."""
        blessing = self._artifact("blessing")
        if blessing is None:
            return None
        try:
            return Verdict.load(blessing.uri)
        except FileNotFoundError:
            self.notices.append(
                "The blessing is not one of RelaImpGate's, so the decision's reasons are not here."
            )
        key = constants.ARTIFACT_PROPERTY_BLESSED_KEY
        blessed = blessing.get_int_custom_property(key) == constants.BLESSED_VALUE
        return Verdict(blessed, None, [])

    def served(self) -> ServingOutcome | None:
        """What the serving check found; None where none ran."""
        infra_blessing = self._artifact("infra_blessing")
        return ServingOutcome.load(infra_blessing.uri) if infra_blessing else None

    def results(self) -> SliceResults | None:
        """The slice evaluation."""
        evaluation = self._artifact("evaluation")
        if evaluation is None:
            return None
        try:
            results = load_results(evaluation.uri)
            self.notices += results.notices
            return results
        except EvaluationResultError as error:
            self.notices.append(f"There is no slice evaluation to show: {error}.")
            return None

    def rocs(self) -> dict[str, RocCurve]:
        """The candidate's ROC by task; empty where the evaluation has none."""
        evaluation = self._artifact("evaluation")
        return load_roc_curves(evaluation.uri) if evaluation else {}

    def reliability(self) -> dict[str, ReliabilityCurve]:
        """The candidate's reliability curve by task; empty where the evaluation has none."""
        evaluation = self._artifact("evaluation")
        return load_reliability_curves(evaluation.uri) if evaluation else {}

    def best_possible(
        self, path: str | None, experiment: Mapping[str, Any] | None = None
    ) -> AucBySlice:
        """The AUC of the true probabilities, empty where no file is set or it is not usable.

        Of two that the file has of a task, it is that of what a served model is given.

        Args:
            path: of the file.
            experiment: sections of the experiment file as plain values. Tasks whose labels are not
                known at once are left out: they are judged on other spans than the newest.
        """
        if path is None:
            return {}
        path = span_path(path, self.span())
        try:
            with tf.io.gfile.GFile(path) as file:
                found = pydantic.TypeAdapter(AucBySlice).validate_json(file.read())
            experiment = experiment or {}
            late = _late_tasks(experiment)
            found, self.best_without = as_served(found, experiment.get("features") or {})
            return {task: slices for task, slices in found.items() if task not in late}
        except tf.errors.NotFoundError:
            reason = "the file does not exist"
        except pydantic.ValidationError as error:
            reason = f"it should be {{task: {{slice: AUC}}}}: {error.errors()[0]['msg']}"
        self.notices.append(
            f"The best possible AUC (report.best_possible: {path}) is not shown: {reason}."
        )
        return {}

    def trainings(self) -> tuple[Training, ...]:
        """The training records of candidate and reference."""
        found = []
        for model, key in ((CANDIDATE, "model_run"), (REFERENCE, "reference_model_run")):
            artifact = self._artifact(key)
            if artifact is None:
                continue
            history = read_history(artifact.uri)
            if history is None:
                self.notices.append(f"The {model}'s trainer left no {HISTORY_FILE}.")
            else:
                found.append(Training(model, history))
        return tuple(found)

    def statistics(self) -> tuple[SplitStatistics, ...]:
        """The statistics of all splits."""
        artifact = self._artifact("statistics")
        if artifact is None:
            return ()
        for split, rate in sample_rates(artifact).items():
            if rate < 1.0:
                self.notices.append(
                    f"The statistics of split {split} describe a sample of {rate:.3%} of its rows."
                )
        return load_statistics(artifact)

    def anomalies(self) -> tuple[Anomaly, ...] | None:
        """The anomalies of all splits; None where no validator ran."""
        artifact = self._artifact("anomalies")
        return tuple(load_anomalies(artifact)) if artifact else None

    def ingestion(self) -> IngestionSummary | None:
        """What LogExampleGen read and refused."""
        artifact = self._artifact("examples")
        return read_ingestion_summary(artifact.uri) if artifact else None

    def spans(self, experiment: Mapping[str, Any]) -> tuple[SpanView, ...]:
        """The spans of the run's window; empty without one.

        Args:
            experiment: sections of the experiment file as plain values.
        """
        names = ("examples", "test_examples", "trained_examples")
        trained, tested, own = (self._inputs.get(key, []) for key in names)
        spans = window_view(trained, tested, experiment, own, self._left_out())
        if (notice := window_notice(spans, experiment)) is not None:
            self.notices.append(notice)
        if spans:
            self.notices.append(
                f"The statistics are those of the newest span, {spans[-1].name}; of the others "
                "they stand in the reports of their days."
            )
        return spans

    def _left_out(self) -> dict[int, dict[str, LeftOut]]:
        """The labels that did not count in the candidate's training."""
        transformed = self._artifact("transformed_examples")
        if transformed is None:
            return {}
        text = transformed.get_string_custom_property(LABELS_PROPERTY)
        return LabelUse.of_text(text).left_out

    def drift(self) -> Drift | None:
        """How far the newest examples moved; None where no guard ran."""
        artifact = self._artifact("drift")
        return Drift.load(artifact.uri) if artifact else None

    def skew(self) -> Skew | None:
        """How far what was served differs; None where no guard ran."""
        artifact = self._artifact("skew")
        return Skew.load(artifact.uri) if artifact else None

    def insight(self) -> ModelInsights | None:
        """What the candidate goes by; None where nobody asked for it."""
        artifact = self._artifact("insight")
        return ModelInsights.load(artifact.uri) if artifact else None

    def span(self) -> int | None:
        """Number of the portion of the logs that was read, where they come in portions."""
        if self._inputs.get("test_examples"):
            return span_of(by_span(self._inputs["test_examples"])[-1])
        artifact = self._artifact("examples")
        if artifact is None or not artifact.has_custom_property("span"):
            return None
        return artifact.get_int_custom_property("span")

    def _artifact(self, key: str) -> types.Artifact | None:
        artifacts = self._inputs.get(key)
        return artifact_utils.get_single_instance(artifacts) if artifacts else None


def _late_tasks(experiment: Mapping[str, Any]) -> set[str]:
    """Tasks whose labels are not known at once; those that follow on others wait for these."""
    late: set[str] = set()
    for name, task in (experiment.get("tasks") or {}).items():
        if task.get("matures_after") or {task.get("after"), task.get("population")} & late:
            late.add(name)
    return late
