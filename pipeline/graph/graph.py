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
from mtlx.components.serving_check.component import ServingCheck
from mtlx.components.slice_evaluation.component import SliceEvaluation
from mtlx.components.span_schema_gen.component import SpanSchemaGen
from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.reference_training import trainings
from mtlx.pipeline.graph import stock_components
from mtlx.pipeline.graph.opponents import Opponents
from mtlx.pipeline.graph.resolvers.base_model import (
    base_model_node,
    base_model_of,
    trained_examples,
)
from mtlx.pipeline.graph.resolvers.blessed_schema import BlessedSchemaStrategy
from mtlx.pipeline.graph.resolvers.span_window import span_window
from mtlx.pipeline.graph.run_examples import RunExamples
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
        The pipeline: log ExampleGen, StatisticsGen, SpanWindow (where the experiment has a
        window), BlessedSchema and SchemaGen (or the imported schema), ExampleValidator,
        AnomalyGuard, DriftGuard, BaseModel (with a warm start), Transform, Trainer (and
        ReferenceTrainer), LatestBlessedModel (and GivenModel, AnchorModel), SliceEvaluation,
        RelaImpGate, ServingCheck, Report, Pusher. `components` of the experiment puts stock ones
        in the places of ours.
    """
    parameters = RunParameters.of(experiment) if runtime_parameters else RunParameters()
    examples = _examples(experiment, pipeline_root, parameters)
    statistics = _statistics(experiment, examples)
    window = span_window(experiment.data, examples, statistics) if experiment.data.window else None
    read = RunExamples.of(examples, statistics, window)
    schema, *before_schema = _schema(experiment, read)
    validator = tfx.components.ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    guard = AnomalyGuard(
        anomalies=validator.outputs["anomalies"],
        allow_anomalies=experiment.validation.allow_anomalies,
    )
    drift = _drift(experiment, read)
    base = base_model_node(experiment, read.train)
    trained = trained_examples(experiment, base, read.train)
    transform = _transform(experiment, trained, schema, base_model_of(base))
    for one in (guard, *drift):
        transform.add_upstream_node(one)
    for one in drift:
        # An anomaly says more exactly what is wrong.
        one.add_upstream_node(guard)
    trainers = _trainers(
        experiment, pipeline_root, transform, schema, run_fns or {}, base_model_of(base)
    )
    candidate, reference = trainers[0], (trainers[1:] or [None])[0]
    opponents = Opponents.of(experiment, candidate)
    judges = _judges(experiment, read, trained, candidate, reference, opponents)
    evaluation, blessing = judges[0].outputs["evaluation"], judges[-1].outputs["blessing"]
    checks = _serving_check(experiment, read, candidate, opponents, evaluation, blessing)
    infra_blessing = checks[0].outputs["infra_blessing"] if checks else None
    report = Report(
        evaluation=evaluation,
        blessing=blessing,
        infra_blessing=infra_blessing,
        statistics=statistics.outputs["statistics"],
        anomalies=validator.outputs["anomalies"],
        examples=read.train,
        test_examples=read.test,
        trained_examples=None if trained is read.train else trained,
        model_run=candidate.outputs["model_run"],
        reference_model_run=reference.outputs["model_run"] if reference else None,
        drift=drift[0].outputs["drift"] if drift else None,
        settings=experiment.report.to_json(),
        experiment=experiment.as_written(),
    )
    nodes = [examples, statistics, *([window] if window else []), *before_schema, schema]
    nodes += [validator, guard, *drift, *([base] if base else []), transform, *trainers]
    nodes += [*opponents.nodes, *judges, *checks, report]
    made_of = {
        "train_examples": trained,
        "test_examples": read.test or read.train,
        "schema": schema.outputs["schema"],
    }
    nodes += _pusher(experiment, candidate, judges, infra_blessing, made_of)
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


def _drift(experiment: Experiment, read: RunExamples) -> list[DriftGuard]:
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
            data_contract=experiment.contract.to_json(),
            split=newest,
            baseline_split=before,
            kept_apart="".join(apart),
        )
    ]


def _kept_apart(experiment: Experiment) -> list[str]:
    """The feature by whose values rows are split, if it is one."""
    split = experiment.data.split
    key = split.of if split.by == "hash" else getattr(split, "validation_key", None)
    return [name for name in experiment.features if name == key]


def _schema(experiment: Experiment, read: RunExamples) -> list[base_node.BaseNode]:
    """The reviewed schema where the experiment names one, else one of the training rows.

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
        infra_blessing=tfx.dsl.Channel(type=kinds.InfraBlessing),
        schema=tfx.dsl.Channel(type=kinds.Schema),
        statistics=read.test_statistics,
    ).with_id("BlessedSchema")
    schema = SpanSchemaGen(
        statistics=read.train_statistics,
        base_schema=blessed.outputs["schema"],
        data_contract=experiment.contract.to_json(),
        split="train",
        tolerance=validation.tolerance,
        # No value of these is in two splits.
        open_features=[*validation.open_features, *_kept_apart(experiment)],
    ).with_id("SchemaGen")
    return [schema, blessed]


def _transform(
    experiment: Experiment,
    examples: types.BaseChannel,
    schema: base_node.BaseNode,
    base_model: types.BaseChannel | None,
) -> base_node.BaseNode:
    inputs = examples, schema.outputs["schema"]
    if experiment.components.transform == "stock":
        return stock_components.transform(experiment, *inputs, ("train",), TRAINING_SPLITS)
    start = experiment.training.warm_start
    incremental = start is not None and start.incremental
    keeps = experiment.transform.reuse == "base_model" or incremental
    return OnePassTransform(
        examples=inputs[0],
        schema=inputs[1],
        data_contract=experiment.contract.to_json(),
        analyze_splits=("train",),
        transform_splits=TRAINING_SPLITS,
        base_model=base_model if keeps else None,
        without_base_model=start.otherwise if keeps and start else "refuse",
        grow_vocabularies=incremental,
    ).with_id("Transform")


def _judges(
    experiment: Experiment,
    read: RunExamples,
    trained: types.BaseChannel,
    candidate: tfx.components.Trainer,
    reference: tfx.components.Trainer | None,
    opponents: Opponents,
) -> list[base_node.BaseNode]:
    """The node that evaluates, first, and the one that blesses, last; stock, both are one."""
    if experiment.components.evaluation == "stock":
        model = candidate.outputs["model"]
        raw = read.test or read.train
        return [stock_components.evaluator(experiment, raw, model, opponents.baseline)]
    contract = experiment.contract.to_json()
    evaluation = SliceEvaluation(
        examples=read.test or read.train,
        candidate=candidate.outputs["model"],
        baseline=opponents.baseline,
        reference=reference.outputs["model"] if reference else None,
        anchor=opponents.output(opponents.anchor, "model"),
        data_contract=contract,
        evaluation=experiment.evaluation.to_json(),
        whole=read.test is not None,
    )
    gate = RelaImpGate(
        evaluation=evaluation.outputs["evaluation"],
        model=candidate.outputs["model"],
        gate=experiment.gate.to_json(),
        data_contract=contract,
        baseline_model=opponents.baseline,
        examples=trained,
        baseline_examples=opponents.output(
            None if opponents.given else opponents.served, "examples"
        ),
        served_examples=opponents.output(opponents.served, "examples"),
        anchor_examples=opponents.output(opponents.anchor, "examples"),
        test_examples=read.test,
        **_tested_on(opponents, read),
        serving_check=experiment.serving.is_checked,
        push_to=_push_to(experiment),
    )
    return [evaluation, gate]


def _tested_on(opponents: Opponents, read: RunExamples) -> dict[str, types.BaseChannel | None]:
    """Examples that the other models were tested on; with a window they are not those that they
    were trained on.
    """
    if read.test is None:
        return {}
    given = None if opponents.given else opponents.served
    return {
        "baseline_test_examples": opponents.output(given, "test_examples"),
        "served_test_examples": opponents.output(opponents.served, "test_examples"),
        "anchor_test_examples": opponents.output(opponents.anchor, "test_examples"),
    }


def _trainers(
    experiment: Experiment,
    pipeline_root: str,
    transform: base_node.BaseNode,
    schema: base_node.BaseNode,
    run_fns: Mapping[str, str],
    base_model: types.BaseChannel | None,
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
            # Only the candidate asks for one.
            base_model=base_model if training.warm_start else None,
            train_args=tfx.proto.TrainArgs(splits=["train"]),
            eval_args=tfx.proto.EvalArgs(splits=["validation"]),
            custom_config=run_config(
                experiment.contract, model, training, os.path.join(pipeline_root, "checkpoints")
            ),
        ).with_id(node_id)

    return [trainer(model, training, node_id) for node_id, model, training in trainings(experiment)]


def _serving_check(
    experiment: Experiment,
    read: RunExamples,
    candidate: tfx.components.Trainer,
    opponents: Opponents,
    evaluation: types.BaseChannel,
    blessing: types.BaseChannel,
) -> list[ServingCheck]:
    if not experiment.serving.is_checked or experiment.serving.check is None:
        return []
    return [
        ServingCheck(
            model=candidate.outputs["model"],
            examples=read.test or read.train,
            evaluation=evaluation,
            blessing=blessing,
            served=opponents.output(opponents.served, "model"),
            settings=experiment.serving.check.to_json(),
            data_contract=experiment.contract.to_json(),
            # A span that tests has the splits of one that will train.
            split=experiment.evaluation.split if read.test is None else "train",
        )
    ]


def _pusher(
    experiment: Experiment,
    candidate: tfx.components.Trainer,
    judges: list[base_node.BaseNode],
    infra_blessing: types.BaseChannel | None,
    made_of: dict[str, types.BaseChannel],
) -> list[ModelPusher]:
    """The Pusher, where a serving folder is named.

    Args:
        experiment: the experiment.
        candidate: the Trainer of the candidate.
        judges: see `_judges`.
        infra_blessing: of the serving check; None without one.
        made_of: channels that tell what the model was made of, by input of `ModelPusher`.
    """
    base = _push_to(experiment)
    if base is None:
        return []
    destination = tfx.proto.PushDestination(
        filesystem=tfx.proto.PushDestination.Filesystem(base_directory=base)
    )
    return [
        ModelPusher(
            model=candidate.outputs["model"],
            model_blessing=judges[-1].outputs["blessing"],
            infra_blessing=infra_blessing,
            evaluation=judges[0].outputs["evaluation"],
            push_destination=destination,
            allow_older_span=experiment.gate.allow_older_span,
            **made_of,
        ).with_id("Pusher")
    ]


def _push_to(experiment: Experiment) -> str | None:
    """The serving folder."""
    return absolute(experiment.serving.push_to) if experiment.serving.push_to else None
