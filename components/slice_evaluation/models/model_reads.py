"""What a SavedModel reads: the features that its serving signature parses, and its own contract."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from mtlx.trainer.serving.serving_contract import read_serving_contract
from mtlx.trainer.serving.signatures import COLUMNS_SIGNATURE
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import Feature

#: How a value stands in a `tf.Example`, in the words of messages.
TEXT, NUMBER, WHOLE_NUMBER = "text", "a number", "a whole number"

_WORDS = {tf.string: TEXT, tf.float32: NUMBER, tf.int64: WHOLE_NUMBER}


@dataclass(frozen=True)
class FeatureForm:
    """How a feature is read, or held.

    Attributes:
        form: `TEXT`, `NUMBER` or `WHOLE_NUMBER`.
        kind: ``categorical``, ``numeric``, ``sequence`` and so on, ``label``; None where it is not
            known.
    """

    form: str
    kind: str | None


@dataclass(frozen=True)
class ModelReads:
    """What a model needs of an example to score it as it was trained to.

    Attributes:
        features: by name; a column that the model does not make use of is left out.
        outputs: the tasks that it serves.
        contract: that it was trained with; None where the model does not hold one (it is an
            older one, or of another project), and then `features` are all that it parses.
    """

    features: dict[str, FeatureForm]
    outputs: tuple[str, ...]
    contract: DataContract | None


def model_reads(
    path: str, model: Any, signature: tf.types.experimental.ConcreteFunction
) -> ModelReads:
    """Finds out what a model reads.

    Args:
        path: of the SavedModel.
        model: as `tf.saved_model.load` gives it.
        signature: its signature for serialised examples.

    Raises:
        ValueError: the contract that it holds is none that can be read here.
    """
    contract = read_serving_contract(path)
    parsed = _parsed(signature)
    if contract is None:
        kinds = _kinds_of_columns(model)
        features = {name: FeatureForm(form, kinds.get(name)) for name, form in parsed.items()}
    else:
        features = {
            name: FeatureForm(parsed.get(name, form_of(feature)), feature.held_as)
            for name, feature in contract.features.items()
            if contract.is_asked_for(name) and (name in parsed or not parsed)
        }
    return ModelReads(features, tuple(sorted(signature.structured_outputs)), contract)


def form_of(feature: Feature) -> str:
    """How LogExampleGen writes a feature."""
    return NUMBER if feature.holds == "number" else TEXT


def _kinds_of_columns(model: Any) -> dict[str, str]:
    """Kinds of features as the signature for columns tells them; empty without one."""
    if COLUMNS_SIGNATURE not in model.signatures:
        return {}
    specs = model.signatures[COLUMNS_SIGNATURE].structured_input_signature[1]
    return {name: _kind(spec) for name, spec in specs.items()}


def _kind(spec: tf.TensorSpec) -> str:
    if spec.dtype != tf.string:
        return "numeric"
    return "sequence" if spec.shape.rank == 2 else "categorical"


def _parsed(signature: tf.types.experimental.ConcreteFunction) -> dict[str, str]:
    """Features that the graph behind a signature parses, with the form that it asks for.

    TensorFlow keeps no list of them: the operation that parses has their names as constants.
    """
    found: dict[str, str] = {}
    graph = signature.graph.as_graph_def()
    for nodes in (graph.node, *(function.node_def for function in graph.library.function)):
        by_name = {node.name: node for node in nodes}
        for node in nodes:
            if node.op == "ParseExampleV2":
                found |= dict(_keys(node, by_name))
    return found


def _keys(
    node: tf.compat.v1.NodeDef, by_name: dict[str, tf.compat.v1.NodeDef]
) -> Iterator[tuple[str, str]]:
    """Names and forms of one ``ParseExampleV2``: serialized, names, then keys of three sorts."""
    attributes = ("sparse_types", "Tdense", "ragged_value_types")
    for source, attribute in zip(node.input[2:5], attributes, strict=True):
        constant = by_name.get(source.split(":")[0].removeprefix("^"))
        if constant is None or constant.op != "Const":
            continue
        names = tf.make_ndarray(constant.attr["value"].tensor)
        types = node.attr[attribute].list.type
        for name, kind in zip(names.ravel(), types, strict=False):
            yield name.decode("utf-8"), _WORDS.get(tf.dtypes.as_dtype(kind), TEXT)
