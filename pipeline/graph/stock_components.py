"""TFX's own components in the places of this project's, where the experiment asks for them."""

import tensorflow_model_analysis as tfma
from tfx.components import CsvExampleGen, Evaluator, Transform
from tfx.proto import example_gen_pb2, transform_pb2
from tfx.types import BaseChannel

from mtlx.components.log_example_gen.component import input_base, range_of
from mtlx.components.slice_evaluation.evaluation_config import build_eval_config
from mtlx.components.slice_evaluation.slices import resolve_crosses
from mtlx.components.slice_evaluation.statistics.slice_metrics import BASELINE, CANDIDATE
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph.run_parameters import RunParameters
from mtlx.transform.contract.contract_property import contract_config


def csv_example_gen(experiment: Experiment, parameters: RunParameters) -> CsvExampleGen:
    """TFX's CSV reader; the files of a split are its patterns, relative to the data folder.

    Spans stand in the patterns of the splits.
    """
    data = experiment.data
    splits = [
        example_gen_pb2.Input.Split(name=name, pattern=getattr(data.split, name)[0])
        for name in ("train", "validation", "test")
    ]
    return CsvExampleGen(
        input_base=parameters.data_path or input_base(data),
        input_config=example_gen_pb2.Input(splits=splits),
        range_config=parameters.range_config or range_of(data.span),
    )


def transform(
    experiment: Experiment,
    examples: BaseChannel,
    schema: BaseChannel,
    analyze: tuple[str, ...],
    splits: tuple[str, ...],
) -> Transform:
    """TFX's Transform, with TFT's analyzers and the same preprocessing function."""
    return Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="mtlx.transform.preprocessing.preprocessing_fn",
        splits_config=transform_pb2.SplitsConfig(analyze=analyze, transform=splits),
        custom_config=contract_config(experiment.contract.of_rows),
        # StatisticsGen has those of the raw examples already.
        disable_statistics=True,
    )


def evaluator(
    experiment: Experiment,
    examples: BaseChannel,
    model: BaseChannel,
    baseline: BaseChannel | None,
) -> Evaluator:
    """TFX's Evaluator, which blesses by the gate's rules on the AUC of all rows."""
    names = (CANDIDATE,) if baseline is None else (CANDIDATE, BASELINE)
    contract = experiment.contract
    crosses = resolve_crosses(experiment.evaluation, contract)
    config = build_eval_config(names, contract.task_specs, crosses)
    minimums = {
        task: threshold.options["minimum"]
        for threshold in experiment.gate.thresholds
        for task in contract.tasks
        if threshold.task in ("*", task)
    }
    for specification in config.metrics_specs:
        (task,) = specification.output_names
        if task in minimums:
            bound = tfma.GenericValueThreshold(lower_bound={"value": minimums[task]})
            threshold = tfma.MetricThreshold(value_threshold=bound)
            specification.metrics[0].per_slice_thresholds.add(
                slicing_specs=[tfma.SlicingSpec()], threshold=threshold
            )
    return Evaluator(
        examples=examples,
        model=model,
        baseline_model=baseline,
        example_splits=["train", "validation"]
        if experiment.data.window  # All rows of the spans that test.
        else [experiment.evaluation.split],
        eval_config=config,
    )
