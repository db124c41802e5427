"""The nodes that evaluate a model, decide whether it may serve, and push it."""

from tfx import types
from tfx.components import Trainer
from tfx.dsl.components.base import base_node
from tfx.proto import pusher_pb2

from mtlx.components.model_insight.component import ModelInsight
from mtlx.components.model_pusher.component import ModelPusher
from mtlx.components.relaimp_gate.component import RelaImpGate
from mtlx.components.serving_check.component import ServingCheck
from mtlx.components.slice_evaluation.component import SliceEvaluation
from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph import stock_components
from mtlx.pipeline.graph.opponents import Opponents
from mtlx.pipeline.graph.run_examples import RunExamples


def judging_nodes(
    experiment: Experiment,
    read: RunExamples,
    trained: types.BaseChannel,
    candidate: Trainer,
    reference: Trainer | None,
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
        served_model=opponents.output(opponents.served, "model"),
        anchor_model=opponents.output(opponents.anchor, "model"),
        test_examples=read.test,
        serving_check=experiment.serving.is_checked,
        push_to=_push_to(experiment),
    )
    return [evaluation, gate]


def insight_nodes(
    experiment: Experiment,
    read: RunExamples,
    candidate: Trainer,
    transform: base_node.BaseNode,
    judges: list[base_node.BaseNode],
) -> list[ModelInsight]:
    """The node that looks into the candidate for the report, where it asks for any insight.

    Args:
        experiment: the experiment.
        read: the examples that it is evaluated on.
        candidate: its Trainer.
        transform: what it was trained on.
        judges: see `judging_nodes`; a model that cannot be evaluated is not looked into.
    """
    if not experiment.report.insight:
        return []
    insight = ModelInsight(
        examples=read.test or read.train,
        model=candidate.outputs["model"],
        transform_graph=transform.outputs["transform_graph"],
        insights=experiment.report.insights_json(),
        data_contract=experiment.contract.to_json(),
        split=experiment.evaluation.split,
        whole=read.test is not None,
    )
    insight.add_upstream_node(judges[0])
    return [insight]


def serving_check_nodes(
    experiment: Experiment,
    read: RunExamples,
    candidate: Trainer,
    opponents: Opponents,
    evaluation: types.BaseChannel,
    blessing: types.BaseChannel,
) -> list[ServingCheck]:
    """The node that serves the candidate on trial; none where nothing is pushed or asked for."""
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


def pusher_nodes(
    experiment: Experiment,
    candidate: Trainer,
    judges: list[base_node.BaseNode],
    infra_blessing: types.BaseChannel | None,
    made_of: dict[str, types.BaseChannel],
) -> list[ModelPusher]:
    """The Pusher, where a serving folder is named.

    Args:
        experiment: the experiment.
        candidate: the Trainer of the candidate.
        judges: see `judging_nodes`.
        infra_blessing: of the serving check; None without one.
        made_of: channels that tell what the model was made of, by input of `ModelPusher`.
    """
    base = _push_to(experiment)
    if base is None:
        return []
    destination = pusher_pb2.PushDestination(
        filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=base)
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
