"""The pipeline graph: one function from an experiment to a TFX pipeline, for every runner."""

import os
from collections.abc import Mapping

import tensorflow_data_validation as tfdv
from tfx import types
from tfx import v1 as tfx
from tfx.dsl.components.base import base_node

from mtlx.components.anomaly_guard.component import AnomalyGuard
from mtlx.components.batch_statistics_gen.component import BatchStatisticsGen
from mtlx.components.drift_guard.component import DriftGuard
from mtlx.components.log_example_gen.component import LogExampleGen
from mtlx.components.model_pusher.component import ModelPusher
from mtlx.components.one_pass_transform.component import OnePassTransform
from mtlx.components.relaimp_gate.component import RelaImpGate
from mtlx.components.report.component import Report
from mtlx.components.slice_evaluation.component import SliceEvaluation
from mtlx.components.span_schema_gen.component import SpanSchemaGen
from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.reference_training import trainings
from mtlx.pipeline.graph import stock_components
from mtlx.pipeline.graph.blessed_schema import BlessedSchemaStrategy
from mtlx.pipeline.graph.opponents import Opponents
from mtlx.pipeline.graph.run_parameters import RunParameters
from mtlx.trainer.run_config import run_config
from mtlx.trainer.settings import ModelSettings, TrainingSettings

#: Splits that may reach Transform and Trainer. The test split is read by slice evaluation only.
TRAINING_SPLITS = ("train", "validation")

#: What a Trainer calls where nothing else is asked for.
RUN_FN = "mtlx.trainer.run_fn.run_fn"


def create_pipeline(
    experiment: Experiment,
    pipeline_root: str,
    metadata_connection_config: object | None = None,
    runtime_parameters: bool = False,
    run_fns: Mapping[str, str] | None = None,
) -> tfx.dsl.Pipeline:
    """Builds the TFX pipeline of an experiment.

    Args:
        experiment: the validated experiment file.
        pipeline_root: folder or URI under which all artifacts are written.
        metadata_connection_config: ML-Metadata connection; None where the runner brings one.
        runtime_parameters: leave open where the logs lie and which span is read, for
            `mtlx.pipeline.run.node_run.bind_parameters`; else they are those of the experiment.
        run_fns: import paths of what Trainers call in the place of `RUN_FN`, by node id.

    Returns:
        The pipeline: log ExampleGen, StatisticsGen, BlessedSchema and SchemaGen (or the imported
        schema),
        ExampleValidator, AnomalyGuard, DriftGuard, Transform, Trainer (and ReferenceTrainer),
        LatestBlessedModel (and GivenModel, AnchorModel), SliceEvaluation, RelaImpGate, Report,
        Pusher. `components` of the experiment puts stock ones in the places of ours.
    """
    contract = experiment.contract.to_json()
    parameters = RunParameters.of(experiment) if runtime_parameters else RunParameters()
    examples = _examples(experiment, pipeline_root, parameters)
    statistics = _statistics(experiment, examples)
    described = statistics.outputs["statistics"]
    schema, *before_schema = _schema(experiment, described, described)
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    guard = AnomalyGuard(
        anomalies=validator.outputs["anomalies"],
        allow_anomalies=experiment.validation.allow_anomalies,
    )
    drift = _drift(experiment, described, described)
    transform = _transform(experiment, examples, schema)
    for one in (guard, *drift):
        transform.add_upstream_node(one)
    for one in drift:
        # An anomaly says more exactly what is wrong.
        one.add_upstream_node(guard)
    trainers = _trainers(experiment, contract, pipeline_root, transform, schema, run_fns or {})
    candidate, reference = trainers[0], (trainers[1:] or [None])[0]
    opponents = Opponents.of(experiment, candidate)
    judges = _judges(experiment, examples, candidate, reference, opponents)
    evaluation, blessing = judges[0].outputs["evaluation"], judges[-1].outputs["blessing"]
    report = Report(
        evaluation=evaluation,
        blessing=blessing,
        statistics=statistics.outputs["statistics"],
        anomalies=validator.outputs["anomalies"],
        examples=examples.outputs["examples"],
        model_run=candidate.outputs["model_run"],
        reference_model_run=reference.outputs["model_run"] if reference else None,
        drift=drift[0].outputs["drift"] if drift else None,
        settings=experiment.report.to_json(),
        experiment=experiment.as_written(),
    )
    nodes = [examples, statistics, *before_schema, schema, validator, guard, *drift, transform]
    nodes += trainers
    nodes += [*opponents.nodes, *judges, report, *_pusher(experiment, candidate, blessing)]
    return tfx.dsl.Pipeline(
        pipeline_name=experiment.name,
        pipeline_root=pipeline_root,
        components=nodes,
        enable_cache=experiment.run.cache,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=list(experiment.run.beam_pipeline_args),
    )


def _examples(
    experiment: Experiment, pipeline_root: str, parameters: RunParameters
) -> base_node.BaseNode:
    if experiment.components.example_gen == "stock":
        return stock_components.csv_example_gen(experiment, parameters)
    return LogExampleGen(
        data=experiment.data,
        contract=experiment.contract,
        quarantine_dir=os.path.join(pipeline_root, "quarantine"),
        input_base=parameters.data_path,
        range_config=parameters.range_config,
    )


def _statistics(experiment: Experiment, examples: base_node.BaseNode) -> base_node.BaseNode:
    if experiment.components.statistics == "stock":
        rate = experiment.validation.statistics_sample
        options = tfdv.StatsOptions(sample_rate=rate) if rate < 1.0 else None
        return tfx.components.StatisticsGen(
            examples=examples.outputs["examples"], stats_options=options
        )
    return BatchStatisticsGen(
        examples=examples.outputs["examples"],
        data_contract=experiment.contract.to_json(),
        sample_rate=experiment.validation.statistics_sample,
        count_values=experiment.measures_drift,
    ).with_id("StatisticsGen")


def _drift(
    experiment: Experiment,
    newest: types.BaseChannel,
    before: types.BaseChannel,
    splits: tuple[str, str] = ("test", "train"),
) -> list[DriftGuard]:
    """Statistics of the newest rows against those before; nothing where it is not asked for.

    Of one artifact on both sides these are two splits; two empty names take all.
    """
    if not experiment.measures_drift:
        return []
    split = experiment.data.split
    apart = split.of if split.by == "hash" and split.of in experiment.features else ""
    return [
        DriftGuard(
            statistics=newest,
            baseline_statistics=before,
            settings=experiment.drift.to_json(),
            data_contract=experiment.contract.to_json(),
            split=splits[0],
            baseline_split=splits[1],
            kept_apart=apart,
        )
    ]


def _schema(
    experiment: Experiment, trained: types.BaseChannel, newest: types.BaseChannel
) -> list[base_node.BaseNode]:
    """The reviewed schema where the experiment names one, else one of the training rows.

    Args:
        experiment: of the run.
        trained: statistics of the rows that train.
        newest: statistics of the newest rows.

    Returns:
        The node that gives it, and what comes before that.
    """
    validation, kinds = experiment.validation, tfx.types.standard_artifacts
    if validation.schema_path is not None:
        return [tfx.components.ImportSchemaGen(schema_file=absolute(validation.schema_path))]
    blessed = tfx.dsl.Resolver(
        strategy_class=BlessedSchemaStrategy,
        model=tfx.dsl.Channel(type=kinds.Model),
        model_blessing=tfx.dsl.Channel(type=kinds.ModelBlessing),
        schema=tfx.dsl.Channel(type=kinds.Schema),
        statistics=newest,
    ).with_id("BlessedSchema")
    schema = SpanSchemaGen(
        statistics=trained,
        base_schema=blessed.outputs["schema"],
        data_contract=experiment.contract.to_json(),
        split="train",
        tolerance=validation.tolerance,
        open_features=validation.open_features,
    ).with_id("SchemaGen")
    return [schema, blessed]


def _transform(
    experiment: Experiment, examples: base_node.BaseNode, schema: base_node.BaseNode
) -> base_node.BaseNode:
    inputs = examples.outputs["examples"], schema.outputs["schema"]
    if experiment.components.transform == "stock":
        return stock_components.transform(experiment, *inputs, ("train",), TRAINING_SPLITS)
    return OnePassTransform(
        examples=inputs[0],
        schema=inputs[1],
        data_contract=experiment.contract.to_json(),
        analyze_splits=("train",),
        transform_splits=TRAINING_SPLITS,
    ).with_id("Transform")


def _judges(
    experiment: Experiment,
    examples: base_node.BaseNode,
    candidate: tfx.components.Trainer,
    reference: tfx.components.Trainer | None,
    opponents: Opponents,
) -> list[base_node.BaseNode]:
    """The node that evaluates, first, and the one that blesses, last; stock, both are one."""
    if experiment.components.evaluation == "stock":
        model = candidate.outputs["model"]
        raw = examples.outputs["examples"]
        return [stock_components.evaluator(experiment, raw, model, opponents.baseline)]
    contract = experiment.contract.to_json()
    evaluation = SliceEvaluation(
        examples=examples.outputs["examples"],
        candidate=candidate.outputs["model"],
        baseline=opponents.baseline,
        reference=reference.outputs["model"] if reference else None,
        anchor=opponents.output(opponents.anchor, "model"),
        data_contract=contract,
        evaluation=experiment.evaluation.to_json(),
    )
    gate = RelaImpGate(
        evaluation=evaluation.outputs["evaluation"],
        model=candidate.outputs["model"],
        gate=experiment.gate.to_json(),
        data_contract=contract,
        baseline_model=opponents.baseline,
        examples=examples.outputs["examples"],
        baseline_examples=opponents.output(
            None if opponents.given else opponents.served, "examples"
        ),
        served_examples=opponents.output(opponents.served, "examples"),
        anchor_examples=opponents.output(opponents.anchor, "examples"),
    )
    return [evaluation, gate]


def _trainers(
    experiment: Experiment,
    contract: str,
    pipeline_root: str,
    transform: base_node.BaseNode,
    schema: base_node.BaseNode,
    run_fns: Mapping[str, str],
) -> list[tfx.components.Trainer]:
    """The candidate's Trainer and, where the gate names a reference model, that one's."""

    def trainer(
        model: ModelSettings, training: TrainingSettings, node_id: str
    ) -> tfx.components.Trainer:
        return tfx.components.Trainer(
            run_fn=run_fns.get(node_id, RUN_FN),
            examples=transform.outputs["transformed_examples"],
            transform_graph=transform.outputs["transform_graph"],
            schema=schema.outputs["schema"],
            train_args=tfx.proto.TrainArgs(splits=["train"]),
            eval_args=tfx.proto.EvalArgs(splits=["validation"]),
            custom_config=run_config(
                experiment.contract, model, training, os.path.join(pipeline_root, "checkpoints")
            ),
        ).with_id(node_id)

    return [trainer(model, training, node_id) for node_id, model, training in trainings(experiment)]


def _pusher(
    experiment: Experiment, candidate: tfx.components.Trainer, blessing: types.BaseChannel
) -> list[ModelPusher]:
    if experiment.serving.push_to is None:
        return []
    destination = tfx.proto.PushDestination(
        filesystem=tfx.proto.PushDestination.Filesystem(
            base_directory=absolute(experiment.serving.push_to)
        )
    )
    return [
        ModelPusher(
            model=candidate.outputs["model"],
            model_blessing=blessing,
            push_destination=destination,
        ).with_id("Pusher")
    ]
