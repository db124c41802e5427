"""What one call of an exported model spends its time on, by kind of operation."""

import collections
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.serving_latency import SIGNATURES, requests_of

#: Kinds of operations that are told apart, by the beginnings of their names.
KINDS = {
    "parsing, and checks of bytes": (
        "ParseExample", "ParseSequenceExample", "DecodeRaw", "StringJoin", "ReduceJoin", "Substr",
        "StringLength", "AsString",
    ),
    "vocabularies": ("LookupTableFind", "LookupTable", "StringToHashBucket"),
    "texts: missing values, domains": ("StringStrip", "RegexFullMatch", "StaticRegex", "Equal",
                                       "NotEqual", "StringLower"),
    "products": ("MatMul", "BatchMatMul", "Einsum", "_FusedMatMul", "_MklMatMul", "FusedMatMul"),
    "embeddings": ("Gather", "ResourceGather"),
    "sparse to dense": ("Sparse", "Where", "GatherNd", "ScatterNd", "RaggedTensor", "UnsortedSeg"),
    "copies": ("Concat", "Pack", "StridedSlice", "Slice", "Transpose", "Reshape", "Tile",
               "BroadcastTo", "Split", "Pad", "Identity", "ExpandDims"),
}  # fmt: skip
#: Operations that call others, which are counted themselves.
CALLING = ("PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "While")
ITEMS, CALLS = 500, 30


def print_profiles(models: list[Any]) -> None:
    """Prints, for each model and signature, milliseconds per call by kind of operation."""
    widths = sorted({model.width for model in models})
    requests = requests_of(ITEMS, widths)
    print(f"Milliseconds of operations in a call of {ITEMS} items, summed over threads.\n")
    print("| model | signature | kind | ms | share |\n|---|---|---|---|---|")
    for model in models:
        for kind, path in ((model.name, model.path), (f"{model.name}'s MLP", model.mlp)):
            loaded = tf.saved_model.load(path)
            for signature, request in SIGNATURES.items():
                inputs = {name: _tensor(values) for name, values in requests[request].items()}
                found = profile(loaded.signatures[signature], inputs)
                total = sum(found.values())
                for name, spent in found.most_common():
                    cells = f"{spent:.3f} | {100 * spent / total:.0f} %"
                    print(f"| {kind} | `{signature}` | {name} | {cells} |")


def profile(signature: Any, inputs: dict[str, tf.Tensor]) -> "collections.Counter[str]":
    """Milliseconds per call by kind of operation, of TensorFlow's own profiler."""
    for _ in range(CALLS):
        signature(**inputs)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        for _ in range(CALLS):
            signature(**inputs)
        tf.profiler.experimental.stop()
        (path,) = Path(folder).rglob("*.xplane.pb")
        return _by_kind(path.read_bytes())


def _by_kind(serialized: bytes) -> "collections.Counter[str]":
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(serialized)
    found: collections.Counter[str] = collections.Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                # Operations are called "name:Kind".
                _, separator, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if separator and kind.isidentifier() and kind not in CALLING:
                    found[_kind(kind)] += event.duration_ps * 1e-9 / CALLS
    return found


def _kind(operation: str) -> str:
    for kind, names in KINDS.items():
        if operation.startswith(names):
            return kind
    return "others"


def _tensor(values: np.ndarray) -> tf.Tensor:
    return tf.constant(values, tf.string if values.dtype == object else values.dtype)
