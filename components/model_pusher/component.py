"""TFX component: pushes a blessed model whole, under a number larger than all before."""

from tfx.components.pusher import component
from tfx.dsl.components.base import executor_spec

from mtlx.components.model_pusher import driver, executor


class ModelPusher(component.Pusher):
    """Takes the stock Pusher's place: the same inputs, blessings, destination and artifact.

    What differs is how a version comes into the serving folder: a reader sees all of it or
    nothing, whenever the push is killed (`mtlx.components.model_pusher.serving_folder.local_push`,
    for URIs `mtlx.components.model_pusher.serving_folder.object_push`); its number is one more than
    the largest that was ever given; and a model that is the newest version already is not pushed
    again. Beside the model stands ``assets.extra/push.json``, a `PushRecord`.

    Args: those of the stock Pusher, of which ``custom_config`` is not read.
    """

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)
    DRIVER_CLASS = driver.Driver
