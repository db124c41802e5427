"""A model that was built to compute in bfloat16, computing in float32 for a while."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def in_float32(model: keras.Model) -> Iterator[None]:
    """Lets all layers of a model compute in float32, and as before afterwards.

    A graph that is traced meanwhile computes in float32 for good, with the same weights, which are
    float32 in any case: its outputs are those of a model that was built in float32.

    Args:
        model: whose layers were built under any policy.
    """
    # The model itself is a layer, too.
    layers = [model, *_below(model)]
    before = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = "float32"
    try:
        yield
    finally:
        for layer, policy in zip(layers, before, strict=True):
            layer.dtype_policy = policy


def _below(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """All layers that a layer is made of, at any depth."""
    found = layer._flatten_layers(include_self=False)
    return list(found)
