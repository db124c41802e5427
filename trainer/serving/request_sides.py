"""A request's two sides: what it has once, and what each of its items has."""

from collections.abc import Callable, Mapping

import tensorflow as tf

from mtlx.trainer.serving.request_checks import text, unless
from mtlx.trainer.serving.training_ranges import Raw
from mtlx.trainer.serving.transform_graph import TransformGraph
from mtlx.transform.columns.served_alike import served_alike
from mtlx.transform.contract.data_contract import DataContract

Columns = dict[str, tf.Tensor]


class RequestSides:
    """Transforms a request: its own side as one row, its items as many.

    A cross of features of both sides is an item's; the request's part of it is repeated for that,
    and nothing else.

    Args:
        contract: the data contract, with what it knows only when training.
        specs: parsing specs of all features, by name.
        parsed: columns ``(B, ...)`` of some features to the inputs of the transform graph.
        transform: the graph.

    Attributes:
        names: of the features that a request has once.
    """

    def __init__(
        self,
        contract: DataContract,
        specs: Mapping[str, tf.io.FixedLenFeature | tf.io.VarLenFeature],
        parsed: Callable[[Columns], Raw],
        transform: TransformGraph,
    ) -> None:
        self._contract, self._specs = contract, dict(specs)
        self._parsed, self._transform = parsed, transform
        self.names = frozenset(contract.served.request_side)
        once = {*self.names, *contract.training_only}
        crosses = [set(cross.of) for cross in contract.crosses.values()]
        mixed = set().union(*(of for of in crosses if of & once and of - once))
        #: Features of one row that crosses have beside an item's own.
        self._repeated = mixed & once

    def __call__(self, columns: Columns) -> dict[str, tf.Tensor]:
        """Transforms a request.

        Args:
            columns: of the request ``(1, ...)``, of its items ``(n, ...)``.

        Returns:
            Transformed features by name: ``(1, ...)``, with that size known, where they depend on
            the request alone, else ``(n, ...)``.
        """
        request = one_row({name: columns[name] for name in self._in_order(columns, True)})
        items = {name: columns[name] for name in self._in_order(columns, False)}
        rows = tf.shape(next(iter(items.values())), tf.int64)[0]
        crossed = {
            name: tf.repeat(request[name], rows, axis=0)
            for name in sorted(self._repeated & self.names)
        }
        of_request = self._transform(
            {**self._parsed(request), **self._fixed(tf.constant(1, tf.int64))}
        )
        fixed = {name: x for name, x in self._fixed(rows).items() if name in self._repeated}
        of_items = self._transform({**self._parsed({**items, **crossed}), **fixed}, of_request)
        known = {
            name: tf.ensure_shape(values, [1, *values.shape[1:]])
            for name, values in of_request.items()
        }
        return {**of_items, **known}

    def _in_order(self, columns: Columns, of_request: bool) -> list[str]:
        return [name for name in columns if (name in self.names) is of_request]

    def _fixed(self, rows: tf.Tensor) -> Raw:
        """What is known only when training, the same in all rows."""
        return served_alike(self._contract, self._specs, rows)


def one_row(columns: Columns) -> Columns:
    """Refuses columns of a request that have another number of rows than one."""
    names = tf.constant(list(columns))
    lengths = tf.stack([tf.shape(values)[0] for values in columns.values()])
    other = tf.not_equal(lengths, 1)

    def told() -> tf.Tensor:
        which = tf.argmax(tf.cast(other, tf.int64))
        remedy = " rows, and a request has one for all its items: give one"
        return text("Column ", names[which], " has ", lengths[which], remedy)

    refusal = tf.cond(tf.reduce_any(other), told, lambda: tf.constant(""))
    # By a slice: whatever says that there is one row, `tf.ensure_shape` or a reshape, TensorFlow's
    # optimiser takes for known before it, and would leave out the check.
    return {name: values[:1] for name, values in unless(refusal, columns).items()}
