"""TFX component: writes the run's report."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration import data_types
from tfx.types import component_spec, standard_artifacts

from mtlx.components.drift_guard.drift_result import DriftResult
from mtlx.components.model_insight.insight_result import InsightResult
from mtlx.components.report import executor
from mtlx.components.report.artifact import HtmlReport
from mtlx.components.report.settings import ReportSettings
from mtlx.components.skew_guard.skew_result import SkewResult


def _optional(kind: type[types.Artifact]) -> component_spec.ChannelParameter:
    return component_spec.ChannelParameter(type=kind, optional=True)


class ReportSpec(component_spec.ComponentSpec):
    """Inputs, outputs and execution properties of `Report`."""

    PARAMETERS = {
        "settings": component_spec.ExecutionParameter(type=str),
        "experiment": component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "evaluation": _optional(standard_artifacts.ModelEvaluation),
        "blessing": _optional(standard_artifacts.ModelBlessing),
        "infra_blessing": _optional(standard_artifacts.InfraBlessing),
        "statistics": _optional(standard_artifacts.ExampleStatistics),
        "anomalies": _optional(standard_artifacts.ExampleAnomalies),
        "examples": _optional(standard_artifacts.Examples),
        "test_examples": _optional(standard_artifacts.Examples),
        "trained_examples": _optional(standard_artifacts.Examples),
        "transformed_examples": _optional(standard_artifacts.Examples),
        "model_run": _optional(standard_artifacts.ModelRun),
        "reference_model_run": _optional(standard_artifacts.ModelRun),
        "drift": _optional(DriftResult),
        "skew": _optional(SkewResult),
        "insight": _optional(InsightResult),
    }
    OUTPUTS = {"report": component_spec.ChannelParameter(type=HtmlReport)}


class Report(base_component.BaseComponent):
    """One HTML file with the verdict, what it rests on, the training and the data.

    Every input is optional: where a stock component takes the place of one of ours, the section
    that it would have filled says that there is nothing to show.

    Args:
        evaluation: of `SliceEvaluation`.
        blessing: of `RelaImpGate`; of the stock Evaluator, the decision alone is shown.
        statistics: of StatisticsGen.
        anomalies: of ExampleValidator.
        examples: of `LogExampleGen`, for the summary of the ingestion; with a window those of the
            spans that train.
        test_examples: with a window, those of the spans that test.
        trained_examples: those of `examples` that the candidate's own training read, where the
            others were seen by its base model only.
        transformed_examples: that the candidate was trained on, where labels are not known at once:
            they say which labels counted.
        model_run: of the candidate's Trainer, for the training curves.
        reference_model_run: of the reference model's.
        drift: of `DriftGuard`.
        settings: JSON of `ReportSettings`, or a runtime parameter.
        experiment: JSON of the experiment file's sections, which the report shows.
        infra_blessing: of `ServingCheck`.
        skew: of `SkewGuard`.
        insight: of `ModelInsight`.

    Raises:
        ValidationError: the settings are wrong.
    """

    SPEC_CLASS = ReportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        evaluation: types.BaseChannel | None = None,
        blessing: types.BaseChannel | None = None,
        statistics: types.BaseChannel | None = None,
        anomalies: types.BaseChannel | None = None,
        examples: types.BaseChannel | None = None,
        model_run: types.BaseChannel | None = None,
        reference_model_run: types.BaseChannel | None = None,
        drift: types.BaseChannel | None = None,
        settings: str | data_types.RuntimeParameter = "{}",
        experiment: str | None = None,
        test_examples: types.BaseChannel | None = None,
        infra_blessing: types.BaseChannel | None = None,
        trained_examples: types.BaseChannel | None = None,
        transformed_examples: types.BaseChannel | None = None,
        skew: types.BaseChannel | None = None,
        insight: types.BaseChannel | None = None,
    ):
        if isinstance(settings, str):
            ReportSettings.from_json(settings)
        super().__init__(
            spec=ReportSpec(
                evaluation=evaluation,
                blessing=blessing,
                infra_blessing=infra_blessing,
                statistics=statistics,
                anomalies=anomalies,
                examples=examples,
                test_examples=test_examples,
                trained_examples=trained_examples,
                transformed_examples=transformed_examples,
                model_run=model_run,
                reference_model_run=reference_model_run,
                drift=drift,
                skew=skew,
                insight=insight,
                settings=settings,
                experiment=experiment,
                report=types.Channel(type=HtmlReport),
            )
        )
