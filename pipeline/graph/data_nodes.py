"""The nodes that read the logs, describe and check them, and make training data of them."""

import os

import tensorflow_data_validation as tfdv
from tfx import types
from tfx.components import StatisticsGen
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.base import base_node
from tfx.dsl.components.common.resolver import Resolver
from tfx.types import Channel, standard_artifacts

from mtlx.components.batch_statistics_gen.component import BatchStatisticsGen
from mtlx.components.drift_guard.component import DriftGuard
from mtlx.components.log_example_gen.component import LogExampleGen
from mtlx.components.log_example_gen.spans.span_marks import has_span, is_date
from mtlx.components.one_pass_transform.component import OnePassTransform
from mtlx.components.skew_guard.component import SkewGuard
from mtlx.components.skew_guard.serving_logs import serving_patterns
from mtlx.components.span_schema_gen.component import SpanSchemaGen
from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph import stock_components
from mtlx.pipeline.graph.resolvers.blessed_schema import BlessedSchemaStrategy
from mtlx.pipeline.graph.run_examples import RunExamples
from mtlx.pipeline.graph.run_parameters import RunParameters

#: Splits that may reach Transform and Trainer. The test split is read by slice evaluation only.
TRAINING_SPLITS = ("train", "validation")


def examples_node(
    experiment: Experiment, pipeline_root: str, parameters: RunParameters
) -> base_node.BaseNode:
    """The node that reads the logs.

    Args:
        experiment: the experiment.
        pipeline_root: whose folder for rejected rows is written.
        parameters: what is left open until a run.
    """
    if experiment.components.example_gen == "stock":
        return stock_components.csv_example_gen(experiment, parameters)
    return LogExampleGen(
        data=experiment.data,
        contract=experiment.contract,
        quarantine_dir=os.path.join(pipeline_root, "quarantine"),
        input_base=parameters.data_path,
        range_config=parameters.range_config,
    )


def statistics_node(experiment: Experiment, examples: base_node.BaseNode) -> base_node.BaseNode:
    """The node that describes what was read."""
    if experiment.components.statistics == "stock":
        rate = experiment.validation.statistics_sample
        options = tfdv.StatsOptions(sample_rate=rate) if rate < 1.0 else None
        return StatisticsGen(examples=examples.outputs["examples"], stats_options=options)
    return BatchStatisticsGen(
        examples=examples.outputs["examples"],
        data_contract=experiment.contract.of_rows.to_json(),
        sample_rate=experiment.validation.statistics_sample,
        count_values=experiment.counts_values,
    ).with_id("StatisticsGen")


def schema_nodes(experiment: Experiment, read: RunExamples) -> list[base_node.BaseNode]:
    """The reviewed schema where the experiment names one, else one of the training rows.

    Returns:
        The node that gives it, and what comes before that.
    """
    validation, kinds = experiment.validation, standard_artifacts
    if validation.schema_path is not None:
        return [ImportSchemaGen(schema_file=absolute(validation.schema_path))]
    blessed = Resolver(
        strategy_class=BlessedSchemaStrategy,
        model=Channel(type=kinds.Model),
        model_blessing=Channel(type=kinds.ModelBlessing),
        infra_blessing=Channel(type=kinds.InfraBlessing),
        schema=Channel(type=kinds.Schema),
        statistics=read.test_statistics,
    ).with_id("BlessedSchema")
    schema = SpanSchemaGen(
        statistics=read.train_statistics,
        base_schema=blessed.outputs["schema"],
        data_contract=experiment.contract.of_rows.to_json(),
        split="train",
        tolerance=validation.tolerance,
        # No value of these is in two splits.
        open_features=[*validation.open_features, *_kept_apart(experiment)],
    ).with_id("SchemaGen")
    return [schema, blessed]


def drift_nodes(experiment: Experiment, read: RunExamples) -> list[DriftGuard]:
    """Statistics of the newest rows against those before; nothing where it is not asked for."""
    if not experiment.measures_drift:
        return []
    split = experiment.data.split
    apart = _kept_apart(experiment) if split.by == "hash" else []
    # Without a window these are two splits of one artifact; a span has no role, and all counts.
    newest, before = ("test", "train") if read.test is None else ("", "")
    return [
        DriftGuard(
            statistics=read.test_statistics,
            baseline_statistics=read.train_statistics,
            settings=experiment.drift.to_json(),
            data_contract=experiment.contract.of_rows.to_json(),
            split=newest,
            baseline_split=before,
            kept_apart="".join(apart),
            dates=is_date(experiment.data.path),
        )
    ]


def skew_nodes(experiment: Experiment, read: RunExamples) -> list[SkewGuard]:
    """What was served against what was logged; nothing where no serving logs are named."""
    patterns = experiment.data.serving_path
    if patterns is None:
        return []
    # Serving logs of a span are of all its rows; where a run's logs have no spans, what it is
    # tested on is what was logged last.
    split = "" if read.test is not None or has_span(patterns[0]) else "test"
    apart = _kept_apart(experiment) if split and experiment.data.split.by == "hash" else []
    older = read.test is not None
    base = experiment.skew_versions
    return [
        SkewGuard(
            examples=read.test or read.train,
            statistics=read.test_statistics,
            older_examples=read.train if older else None,
            older_statistics=read.train_statistics if older else None,
            patterns=serving_patterns(experiment.data, experiment.skew),
            data=experiment.data,
            settings=experiment.skew,
            contract=experiment.contract.of_rows,
            versions_in=absolute(base) if base else None,
            split=split,
            kept_apart="".join(apart),
            dates=is_date(patterns),
        )
    ]


def _kept_apart(experiment: Experiment) -> list[str]:
    """The feature by whose values rows are split, if it is one."""
    split = experiment.data.split
    key = split.of if split.by == "hash" else getattr(split, "validation_key", None)
    return [name for name in experiment.features if name == key]


def transform_node(
    experiment: Experiment,
    examples: types.BaseChannel,
    schema: base_node.BaseNode,
    base_model: types.BaseChannel | None,
    newest_examples: types.BaseChannel | None = None,
) -> base_node.BaseNode:
    """The node that makes training data of examples.

    Args:
        experiment: the experiment.
        examples: whose training and validation splits are transformed.
        schema: the node that gives the schema.
        base_model: that training begins with; None where it begins anew.
        newest_examples: of the spans that test, with labels that are not known at once.
    """
    inputs = examples, schema.outputs["schema"]
    if experiment.components.transform == "stock":
        return stock_components.transform(experiment, *inputs, ("train",), TRAINING_SPLITS)
    start = experiment.training.warm_start
    incremental = start is not None and start.incremental
    keeps = experiment.transform.reuse == "base_model" or incremental
    return OnePassTransform(
        examples=inputs[0],
        schema=inputs[1],
        data_contract=experiment.contract.of_rows.to_json(),
        analyze_splits=("train",),
        transform_splits=TRAINING_SPLITS,
        base_model=base_model if keeps else None,
        without_base_model=start.otherwise if keeps and start else "refuse",
        grow_vocabularies=incremental,
        newest_examples=newest_examples,
    ).with_id("Transform")
