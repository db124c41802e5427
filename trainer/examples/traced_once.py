"""A graph of a function on batches, traced once for batches of any number of rows."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf


class TracedOnce:
    """A function on batches as a graph.

    Without a signature TensorFlow would trace it for the number of rows of the first batch, and
    once more for any number when the last batch of an epoch comes, which has fewer: that is
    seconds of a training's start, for steps of the same speed.

    Args:
        function: takes a batch, tensors ``(B, ...)`` by name, or what replicas hold of each.
    """

    def __init__(self, function: Callable[[Mapping[str, tf.Tensor]], Any]) -> None:
        self._function = function
        self._graph: Callable[[Mapping[str, tf.Tensor]], Any] | None = None

    def __call__(self, batch: Mapping[str, tf.Tensor]) -> Any:
        """What the function returns; the first batch says which columns there are."""
        if self._graph is None:
            # No control flow of Python depends on tensors in what this project traces.
            self._graph = tf.function(
                self._function, autograph=False, input_signature=[_any_rows(batch)]
            )
        return self._graph(batch)


def _any_rows(batch: Mapping[str, tf.Tensor]) -> dict[str, tf.TypeSpec]:
    """Specs of batches like this one, of any number of rows."""
    return {name: _of_any_rows(tf.type_spec_from_value(one)) for name, one in batch.items()}


def _of_any_rows(spec: tf.TypeSpec) -> tf.TypeSpec:
    if isinstance(spec, tf.TensorSpec):
        return tf.TensorSpec([None, *spec.shape[1:]], spec.dtype)
    # What replicas hold, each a part of the rows.
    return type(spec)(*map(_of_any_rows, spec._component_specs))
