"""A graph of a function on batches, traced once for batches of any number of rows."""

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

_Function = Callable[[Mapping[str, tf.Tensor]], Any]

#: Calls after which a graph for whole batches pays. The steps of most networks take 1 to 10 % less
#: time in it; to trace it, and TensorFlow's first look at it, takes what a thousand steps save.
WHOLE_AFTER = 1000


class TracedOnce:
    """A function on batches as a graph.

    Without a signature TensorFlow would trace it for the number of rows of the first batch, and
    once more for any number when the last batch of an epoch comes, which has fewer: that is
    seconds of a short training. A long one may ask for a graph for whole batches later on.

    Args:
        function: takes a batch, tensors ``(B, ...)`` by name, or what replicas hold of each.
        whole_rows: rows of a whole batch, if whole batches are to have a graph of their own behind
            `WHOLE_AFTER` calls. What replicas hold never has.
        earlier_calls: how many calls there were before the first one of this process. A training
            that was resumed must change graphs where an uninterrupted one does: their results
            differ in rounding.
    """

    def __init__(
        self,
        function: _Function,
        whole_rows: int | None = None,
        earlier_calls: Callable[[], int] = lambda: 0,
    ) -> None:
        self._function, self._whole_rows = function, whole_rows
        self._earlier_calls = earlier_calls
        self._calls: int | None = None
        self._of_any_rows: _Function | None = None
        # For the number of rows that it is called with: within another graph, which knows it, ...
        self._within = tf.function(function, autograph=False)
        # ... and for whole batches.
        self._whole: _Function | None = None

    def __call__(self, batch: Mapping[str, tf.Tensor]) -> Any:
        """What the function returns; the first batch says which columns there are."""
        if not tf.executing_eagerly():
            return self._within(batch)
        if self._is_whole(batch):
            if self._whole is None:
                self._whole = tf.function(self._function, autograph=False)
            return self._whole(batch)
        if self._of_any_rows is None:
            # No control flow of Python depends on tensors in what this project traces.
            self._of_any_rows = tf.function(
                self._function, autograph=False, input_signature=[_any_rows(batch)]
            )
        return self._of_any_rows(batch)

    def _is_whole(self, batch: Mapping[str, tf.Tensor]) -> bool:
        """Whether a batch has the graph of whole ones."""
        values = next(iter(batch.values()))
        if self._whole_rows is None or not isinstance(values, tf.Tensor):
            return False
        if self._calls is None:
            self._calls = self._earlier_calls()
        self._calls += 1
        return self._calls > WHOLE_AFTER and values.shape[0] == self._whole_rows


def _any_rows(batch: Mapping[str, tf.Tensor]) -> dict[str, tf.TypeSpec]:
    """Specs of batches like this one, of any number of rows."""
    return {name: _of_any_rows(tf.type_spec_from_value(one)) for name, one in batch.items()}


def _of_any_rows(spec: tf.TypeSpec) -> tf.TypeSpec:
    if isinstance(spec, tf.TensorSpec):
        return tf.TensorSpec([None, *spec.shape[1:]], spec.dtype)
    # What replicas hold, each a part of the rows.
    return type(spec)(*map(_of_any_rows, spec._component_specs))
