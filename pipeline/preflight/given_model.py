"""Whether a folder holds a SavedModel that can be compared with, without TensorFlow."""

import functools
import os
from collections.abc import Iterable

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from mtlx.trainer.serving.signatures import EXAMPLES_SIGNATURE
from mtlx.transform.config.names import suggest

_FIELD = descriptor_pb2.FieldDescriptorProto


def model_problem(folder: str, tasks: Iterable[str]) -> str | None:
    """Why the model in a folder can't be compared with one of these tasks; None if it can.

    Args:
        folder: of the SavedModel.
        tasks: that it has to serve.
    """
    if not os.path.isdir(folder):
        return f"{folder} is no folder; give the folder of a SavedModel, such as a pushed version"
    file = os.path.join(folder, "saved_model.pb")
    if not os.path.isfile(file):
        versions = sorted(name for name in os.listdir(folder) if name.isdigit())
        hint = f"; did you mean its version {versions[-1]}?" if versions else ""
        return f"{folder} holds no SavedModel (saved_model.pb){hint}"
    if not os.path.isfile(os.path.join(folder, "variables", "variables.index")):
        return f"{folder} holds a SavedModel without its variables: it was not copied whole"
    try:
        with open(file, "rb") as stream:
            graphs = _saved_model().FromString(stream.read()).meta_graphs
    except (OSError, DecodeError) as error:
        return f"{file} cannot be read as a SavedModel: {error}"
    signatures = {name: one for graph in graphs for name, one in graph.signature_def.items()}
    if EXAMPLES_SIGNATURE not in signatures:
        names = sorted(name for name in signatures if not name.startswith("__"))
        return f"{folder} has no signature {EXAMPLES_SIGNATURE!r}; it has {names}"
    served = set(signatures[EXAMPLES_SIGNATURE].outputs)
    for task in tasks:
        if task not in served:
            return (
                f"the model in {folder} does not serve task {task!r}, {suggest(task, served)}. "
                "Compare with a model that was trained for the same tasks"
            )
    return None


@functools.cache
def _saved_model() -> type[Message]:
    """What is read of TensorFlow's saved_model.proto; all other fields are passed over."""
    file = descriptor_pb2.FileDescriptorProto(name="mtlx/saved_model.proto", package="mtlx")
    file.syntax = "proto3"
    saved_model = file.message_type.add(name="SavedModel")
    _add(saved_model, "meta_graphs", 2, ".mtlx.MetaGraph")
    _add_map(file.message_type.add(name="MetaGraph"), "signature_def", 5, ".mtlx.Signature")
    _add_map(file.message_type.add(name="Signature"), "outputs", 2, ".mtlx.Tensor")
    file.message_type.add(name="Tensor")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("mtlx.SavedModel"))


def _add(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    message.field.add(
        name=name,
        number=number,
        label=_FIELD.LABEL_REPEATED,
        type=_FIELD.TYPE_MESSAGE,
        type_name=kind,
    )


def _add_map(message: descriptor_pb2.DescriptorProto, name: str, number: int, kind: str) -> None:
    """A field ``map<string, kind>``."""
    entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
    entry.options.map_entry = True
    optional = _FIELD.LABEL_OPTIONAL
    entry.field.add(name="key", number=1, label=optional, type=_FIELD.TYPE_STRING)
    entry.field.add(
        name="value", number=2, label=optional, type=_FIELD.TYPE_MESSAGE, type_name=kind
    )
    _add(message, name, number, f".mtlx.{message.name}.{entry.name}")
