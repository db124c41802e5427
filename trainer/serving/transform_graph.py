"""The transform graph as a part of another: what depends on given features, and nothing else."""

from collections.abc import Collection, Iterable, Mapping

import tensorflow as tf
import tensorflow_transform as tft

from mtlx.trainer.serving.training_ranges import Raw
from mtlx.transform.analysis.transform_layer import transform_layer

#: Says where an operation is to be placed: beside one that may have been left out.
_PLACED_BESIDE = "_class"


class TransformGraph:
    """Transforms raw features, operation by operation of the graph that calls it.

    TFT's own layer calls the whole graph as a function, with features of zeros for those that are
    not given, labels among them. A vocabulary's table counts as a state, so such a call looks up
    all features, whatever becomes of the values: for a request's two sides each one twice.

    Args:
        transformed: the transform that the model was trained on.

    Attributes:
        layer: TFT's, for callers outside of a graph.
        resources: what has to be saved with a graph that this was called in: tables among them.
    """

    def __init__(self, transformed: tft.TFTransformOutput) -> None:
        self.layer = transform_layer(transformed)
        self.resources = self.layer._saved_model_loader_tracked_dict
        # One of an older release of TFT is written for TensorFlow 1, and is for its layer to call.
        self._has_parts = not self.resources["_load_v2_in_compat"]
        if not self._has_parts:
            return
        self._function = self.resources["_wrapped_function"]
        graph = self._function.graph
        (features,), _ = self._function.structured_input_signature
        self._inputs = _by_name(features, graph.inputs)
        self._outputs = _by_name(self._function.structured_outputs, graph.outputs)
        self._captured = graph.inputs[len(graph.inputs) - len(self._function.captured_inputs) :]

    def __call__(self, raw: Raw, known: Collection[str] = ()) -> Mapping[str, tf.Tensor]:
        """Transforms.

        Args:
            raw: some of the features that the graph takes.
            known: transformed features that need not be made.

        Returns:
            What depends on these features alone, by name; of what is known perhaps nothing.
        """
        if not self._has_parts or not tf.inside_function():
            return self.layer(dict(raw))
        given: dict[str, tf.Tensor] = {}
        for name, values in raw.items():
            parts = tf.nest.flatten(values, expand_composites=True)
            given |= {place.name: x for place, x in zip(self._inputs[name], parts, strict=True)}
        absent = [x.op for places in self._inputs.values() for x in places if x.name not in given]
        lacking = _that_read(absent)
        wanted = {
            name: tensor
            for name, (tensor, *_) in self._outputs.items()
            if tensor.op not in lacking and name not in known
        }
        # Tables of the eager world; an identity makes them the graph's.
        captured = zip(self._captured, self._function.captured_inputs, strict=True)
        given |= {place.name: tf.identity(tensor) for place, tensor in captured}
        ops = _behind((tensor.op for tensor in wanted.values()), lacking)
        part, read = _part(self._function.graph, ops, given)
        found = tf.graph_util.import_graph_def(
            part,
            {name: given[name] for name in read},
            return_elements=[tensor.name for tensor in wanted.values()],
            name="transform",
        )
        for values, tensor in zip(found, wanted.values(), strict=True):
            values.set_shape(tensor.shape)
        return dict(zip(wanted, found, strict=True))


def _by_name(
    structure: Mapping[str, object], tensors: list[tf.Tensor]
) -> dict[str, list[tf.Tensor]]:
    """The tensors of a graph that stand for each of a function's features."""
    rest, found = iter(tensors), {}
    for name in sorted(structure):
        parts = tf.nest.flatten(structure[name], expand_composites=True)
        found[name] = [next(rest) for _ in parts]
    return found


def _that_read(operations: list[tf.Operation]) -> set[tf.Operation]:
    """Operations whose values depend on given ones, these included."""
    found, rest = set(), list(operations)
    while rest:
        operation = rest.pop()
        if operation not in found:
            found.add(operation)
            rest += [reader for made in operation.outputs for reader in made.consumers()]
    return found


def _behind(
    operations: Iterable[tf.Operation], lacking: set[tf.Operation]
) -> dict[str, tf.Operation]:
    """By name, operations that given ones read or wait for; for none of those that lack inputs.

    Nor for look-ups, which a graph puts in an order as if they changed their tables.
    """

    def ignored(before: tf.Operation) -> bool:
        return before in lacking or before.type.startswith("LookupTableFind")

    found, rest = {}, list(operations)
    while rest:
        operation = rest.pop()
        if operation.name not in found:
            found[operation.name] = operation
            rest += [tensor.op for tensor in operation.inputs]
            rest += [before for before in operation.control_inputs if not ignored(before)]
    return found


def _part(
    graph: tf.Graph, names: Iterable[str], given: Mapping[str, tf.Tensor]
) -> tuple[tf.compat.v1.GraphDef, set[str]]:
    """Some operations without those that stand for inputs, and which of these they read."""
    whole = graph.as_graph_def()
    part = tf.compat.v1.GraphDef(versions=whole.versions, library=whole.library)
    inputs = {name.partition(":")[0]: name for name in given}
    kept, read = set(names) - set(inputs), set()
    for node in whole.node:
        if node.name not in kept:
            continue
        added = part.node.add()
        added.CopyFrom(node)
        added.attr.pop(_PLACED_BESIDE, None)
        del added.input[:]
        for name in node.input:
            before = name.lstrip("^").partition(":")[0]
            if not name.startswith("^") or before in kept:
                added.input.append(name)
            read |= {inputs[before]} if before in inputs and not name.startswith("^") else set()
    return part, read
