"""Variables of one worker alone, in the midst of those that all workers hold alike."""

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.ops.resource_variable_ops import ResourceVariable


@contextlib.contextmanager
def own_variables() -> Iterator[None]:
    """Variables made within it, also in a strategy's scope, are this process's own.

    A strategy's scope would have the chief's values sent to all workers, of one shape on all. It
    does so by a creator of variables, and one that calls no other takes its place. `tf.Variable`
    asks the creators, and has no other public way to the class that it makes.
    """

    def create(_: object, **options: Any) -> tf.Variable:
        kept = ("initial_value", "trainable", "name", "dtype", "shape")
        return ResourceVariable(**{name: options.get(name) for name in kept})

    with tf.variable_creator_scope(create):
        yield
