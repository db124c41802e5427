"""The pipeline graph: one function from an experiment to a TFX pipeline, for every runner."""

import os
from collections.abc import Mapping

from tfx import types
from tfx.components import ExampleValidator, Trainer
from tfx.dsl.components.base import base_node
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2

from mtlx.components.anomaly_guard.component import AnomalyGuard
from mtlx.components.report.component import Report
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.reference_training import trainings
from mtlx.pipeline.graph.data_nodes import (
    drift_nodes,
    examples_node,
    schema_nodes,
    skew_nodes,
    statistics_node,
    transform_node,
)
from mtlx.pipeline.graph.judging_nodes import (
    insight_nodes,
    judging_nodes,
    pusher_nodes,
    serving_check_nodes,
)
from mtlx.pipeline.graph.opponents import Opponents
from mtlx.pipeline.graph.resolvers.base_model import (
    base_model_node,
    base_model_of,
    trained_examples,
)
from mtlx.pipeline.graph.resolvers.span_window import span_window
from mtlx.pipeline.graph.run_examples import RunExamples
from mtlx.pipeline.graph.run_parameters import RunParameters
from mtlx.trainer.run_config import run_config
from mtlx.trainer.settings import ModelSettings, TrainingSettings

#: What a Trainer calls where nothing else is asked for.
RUN_FN = "mtlx.trainer.run_fn.run_fn"


def create_pipeline(
    experiment: Experiment,
    pipeline_root: str,
    metadata_connection_config: object | None = None,
    runtime_parameters: bool = False,
    run_fns: Mapping[str, str] | None = None,
) -> Pipeline:
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
        AnomalyGuard, DriftGuard, SkewGuard (with serving logs), BaseModel (with a warm start),
        Transform, Trainer (and ReferenceTrainer), LatestBlessedModel (and GivenModel,
        AnchorModel), SliceEvaluation, RelaImpGate, ServingCheck, ModelInsight (where the report
        asks for any), Report, Pusher. `components` of the experiment puts stock ones in the places
        of ours.
    """
    parameters = RunParameters.of(experiment) if runtime_parameters else RunParameters()
    examples = examples_node(experiment, pipeline_root, parameters)
    statistics = statistics_node(experiment, examples)
    data, contract = experiment.data, experiment.contract
    window = span_window(data, examples, statistics, contract) if data.window else None
    read = RunExamples.of(examples, statistics, window)
    schema, *before_schema = schema_nodes(experiment, read)
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"]
    )
    guard = AnomalyGuard(
        anomalies=validator.outputs["anomalies"],
        allow_anomalies=experiment.validation.allow_anomalies,
    )
    drift, skew = drift_nodes(experiment, read), skew_nodes(experiment, read)
    # Where labels are not known at once, the newest span tells which are.
    newest = read.test if contract.has_late_labels else None
    base = base_model_node(experiment, read.train, newest)
    trained = trained_examples(experiment, base, read.train)
    transform = transform_node(experiment, trained, schema, base_model_of(base), newest)
    guards: list[base_node.BaseNode] = [*drift, *skew]
    for one in guards:
        # An anomaly says more exactly what is wrong.
        one.add_upstream_node(guard)
    for one in (guard, *guards):
        transform.add_upstream_node(one)
    trainers = _trainers(
        experiment, pipeline_root, transform, schema, run_fns or {}, base_model_of(base)
    )
    candidate, reference = trainers[0], (trainers[1:] or [None])[0]
    opponents = Opponents.of(experiment, candidate)
    judges = judging_nodes(experiment, read, trained, candidate, reference, opponents)
    evaluation, blessing = judges[0].outputs["evaluation"], judges[-1].outputs["blessing"]
    checks = serving_check_nodes(experiment, read, candidate, opponents, evaluation, blessing)
    infra_blessing = checks[0].outputs["infra_blessing"] if checks else None
    insight = insight_nodes(experiment, read, candidate, transform, judges)
    report = Report(
        evaluation=evaluation,
        blessing=blessing,
        infra_blessing=infra_blessing,
        statistics=statistics.outputs["statistics"],
        anomalies=validator.outputs["anomalies"],
        examples=read.train,
        test_examples=read.test,
        trained_examples=None if trained is read.train else trained,
        transformed_examples=transform.outputs["transformed_examples"] if newest else None,
        model_run=candidate.outputs["model_run"],
        reference_model_run=reference.outputs["model_run"] if reference else None,
        drift=drift[0].outputs["drift"] if drift else None,
        skew=skew[0].outputs["skew"] if skew else None,
        insight=insight[0].outputs["insight"] if insight else None,
        settings=experiment.report.page_json(),
        experiment=experiment.as_written(),
    )
    nodes = [examples, statistics, *([window] if window else []), *before_schema, schema]
    nodes += [validator, guard, *drift, *skew, *([base] if base else []), transform, *trainers]
    nodes += [*opponents.nodes, *judges, *checks, *insight, report]
    made_of = {
        "train_examples": trained,
        "test_examples": read.test or read.train,
        "schema": schema.outputs["schema"],
    }
    if newest:
        made_of["transformed_examples"] = transform.outputs["transformed_examples"]
    nodes += pusher_nodes(experiment, candidate, judges, infra_blessing, made_of)
    return Pipeline(
        pipeline_name=experiment.name,
        pipeline_root=pipeline_root,
        components=nodes,
        enable_cache=experiment.run.cache,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=list(experiment.run.beam_pipeline_args),
    )


def _trainers(
    experiment: Experiment,
    pipeline_root: str,
    transform: base_node.BaseNode,
    schema: base_node.BaseNode,
    run_fns: Mapping[str, str],
    base_model: types.BaseChannel | None,
) -> list[Trainer]:
    """The candidate's Trainer and, where the gate names a reference model, that one's."""

    def trainer(model: ModelSettings, training: TrainingSettings, node_id: str) -> Trainer:
        return Trainer(
            run_fn=run_fns.get(node_id, RUN_FN),
            examples=transform.outputs["transformed_examples"],
            transform_graph=transform.outputs["transform_graph"],
            schema=schema.outputs["schema"],
            # Only the candidate asks for one.
            base_model=base_model if training.warm_start else None,
            train_args=trainer_pb2.TrainArgs(splits=["train"]),
            eval_args=trainer_pb2.EvalArgs(splits=["validation"]),
            custom_config=run_config(
                experiment.contract, model, training, os.path.join(pipeline_root, "checkpoints")
            ),
        ).with_id(node_id)

    return [trainer(model, training, node_id) for node_id, model, training in trainings(experiment)]
