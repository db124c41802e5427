"""TFX component: pushes a blessed model whole, under a number larger than all before."""

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import pusher_pb2
from tfx.types import component_spec, standard_artifacts, standard_component_specs

from mtlx.components.model_pusher import driver, executor

#: Inputs that tell where a model comes from, beside those of the stock Pusher.
LINEAGE_INPUTS = {
    "train_examples": standard_artifacts.Examples,
    "test_examples": standard_artifacts.Examples,
    "evaluation": standard_artifacts.ModelEvaluation,
    "schema": standard_artifacts.Schema,
    "transformed_examples": standard_artifacts.Examples,
}


class ModelPusherSpec(component_spec.ComponentSpec):
    """The stock Pusher's specification, and what tells where a model comes from."""

    PARAMETERS = {
        **standard_component_specs.PusherSpec.PARAMETERS,
        "allow_older_span": component_spec.ExecutionParameter(type=int, optional=True),
    }
    INPUTS = {
        **standard_component_specs.PusherSpec.INPUTS,
        **{
            name: component_spec.ChannelParameter(type=kind, optional=True)
            for name, kind in LINEAGE_INPUTS.items()
        },
    }
    OUTPUTS = standard_component_specs.PusherSpec.OUTPUTS
    TYPE_ANNOTATION = standard_component_specs.PusherSpec.TYPE_ANNOTATION


class ModelPusher(base_component.BaseComponent):
    """Takes the stock Pusher's place: the same inputs, blessings, destination and artifact.

    What differs is how a version comes into the serving folder: a reader sees all of it or
    nothing, whenever the push is killed (`mtlx.components.model_pusher.serving_folder.local_push`,
    for URIs `mtlx.components.model_pusher.serving_folder.object_push`); its number is one more than
    the largest that was ever given; a model that is the newest version already is not pushed
    again; and one that was tested on an older span than the newest version is refused. Beside the
    model stands ``assets.extra/push.json``, a `PushRecord` with what the inputs tell.

    Args:
        push_destination: the serving folder.
        model: the model.
        model_blessing: optional, of the gate.
        infra_blessing: optional, of the check in a server.
        train_examples: optional, raw examples that the model was trained on; one or more.
        test_examples: optional, those that it was tested on.
        evaluation: optional, of the component `SliceEvaluation`.
        schema: optional, that the examples were held against.
        transformed_examples: optional, that the Trainer read: they say which labels counted.
        allow_older_span: push although the newest version was tested on a newer span.
    """

    SPEC_CLASS = ModelPusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver

    def __init__(
        self,
        push_destination: pusher_pb2.PushDestination,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel | None = None,
        infra_blessing: types.BaseChannel | None = None,
        train_examples: types.BaseChannel | None = None,
        test_examples: types.BaseChannel | None = None,
        evaluation: types.BaseChannel | None = None,
        schema: types.BaseChannel | None = None,
        transformed_examples: types.BaseChannel | None = None,
        allow_older_span: bool = False,
    ):
        super().__init__(
            spec=ModelPusherSpec(
                model=model,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                train_examples=train_examples,
                test_examples=test_examples,
                evaluation=evaluation,
                schema=schema,
                transformed_examples=transformed_examples,
                push_destination=push_destination,
                allow_older_span=int(allow_older_span),
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            )
        )
