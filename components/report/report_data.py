"""Everything that a report shows, as plain records: what the renderer is given."""

from dataclasses import dataclass, field
from typing import Any

from mtlx.components.anomaly_guard.anomalies import Anomaly
from mtlx.components.drift_guard.drift_result import Drift
from mtlx.components.log_example_gen.ingestion_summary import IngestionSummary
from mtlx.components.model_insight.insight_result import ModelInsights
from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.report.sections.window_view import SpanView
from mtlx.components.serving_check.serving_outcome import ServingOutcome
from mtlx.components.skew_guard.skew_result import Skew
from mtlx.components.slice_evaluation.metrics.score_bins import ReliabilityCurve
from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.components.slice_evaluation.statistics.roc_curve import RocCurve

#: AUC by task and slice; None where it is undefined.
AucBySlice = dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class FeatureStatistics:
    """One feature in one split.

    Attributes:
        name: of the feature.
        kind: ``number``, ``text`` or ``bytes``.
        rows: that have a value.
        missing: rows that have none.
        mean: of numbers, else None.
        deviation: standard deviation of numbers.
        minimum: of numbers.
        median: of numbers.
        maximum: of numbers.
        zeros: numbers that are 0.
        distinct: different values of text.
        top: the most frequent values of text with their counts.
        values_per_row: mean number of values in rows that have any; above 1 for sequences.
        bars: heights of a small histogram, of numbers by equal width (the first and last bar
            from `minimum` to `maximum`), of text by rank.
    """

    name: str
    kind: str
    rows: int
    missing: int
    mean: float | None = None
    deviation: float | None = None
    minimum: float | None = None
    median: float | None = None
    maximum: float | None = None
    zeros: int | None = None
    distinct: int | None = None
    top: tuple[tuple[str, float], ...] = ()
    values_per_row: float = 1.0
    bars: tuple[float, ...] = ()


@dataclass(frozen=True)
class SplitStatistics:
    """One split.

    Attributes:
        split: name.
        rows: its examples.
        features: in the order of the examples.
    """

    split: str
    rows: int
    features: tuple[FeatureStatistics, ...]


@dataclass(frozen=True)
class Training:
    """The record of one model's training.

    Attributes:
        model: ``candidate`` or ``reference``.
        history: content of the trainer's ``history.json``.
    """

    model: str
    history: dict[str, Any]


@dataclass(frozen=True)
class ReportData:
    """One run; what a run does not have is None or empty, and its section says so.

    Attributes:
        title: of the page.
        run_id: of the pipeline run, or None.
        created: date and time, text.
        verdict: of the gate.
        served: what the serving check found.
        results: of the slice evaluation.
        rocs: the candidate's ROC by task, over all rows.
        reliability: the candidate's reliability curve by task, over all rows.
        best_possible: AUC of the true probabilities.
        best_without: columns that it is reached without, as served models do.
        trainings: the candidate's first.
        statistics: by split.
        anomalies: of all splits; None where nobody looked for any.
        ingestion: content of the ingestion's ``summary.json``.
        drift: how far the newest examples moved; None where nobody measured it.
        skew: how far what was served differs; None where there is no path of serving logs.
        experiment: sections of the experiment file as plain values; empty where they are unknown.
        span: number of the portion of the logs that was read; None where the logs have none.
        spans: of the run's window; empty without one.
        insight: what the candidate goes by; None where nobody asked for it.
        notices: what could not be shown, and why.
        max_cross_slices_shown: see `ReportSettings`.
    """

    title: str
    run_id: str | None
    created: str
    verdict: Verdict | None = None
    served: ServingOutcome | None = None
    results: SliceResults | None = None
    rocs: dict[str, RocCurve] = field(default_factory=dict)
    reliability: dict[str, ReliabilityCurve] = field(default_factory=dict)
    best_possible: AucBySlice = field(default_factory=dict)
    best_without: tuple[str, ...] = ()
    trainings: tuple[Training, ...] = ()
    statistics: tuple[SplitStatistics, ...] = ()
    anomalies: tuple[Anomaly, ...] | None = None
    ingestion: IngestionSummary | None = None
    drift: Drift | None = None
    skew: Skew | None = None
    experiment: dict[str, Any] = field(default_factory=dict)
    span: int | None = None
    spans: tuple[SpanView, ...] = ()
    insight: ModelInsights | None = None
    notices: tuple[str, ...] = ()
    max_cross_slices_shown: int = 50

    @property
    def blessed(self) -> bool:
        """Whether gate and serving check, where there are such, let the candidate through."""
        passed = self.verdict is not None and self.verdict.blessed
        return passed and (self.served is None or self.served.blessed)
