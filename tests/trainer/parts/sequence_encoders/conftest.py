"""Plain NumPy, in float64 and one row, sequence and position at a time, of what encoders share."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.transform.contract.model_inputs import ModelInputs, SequenceInput, TaskSpec

NAMES, LENGTHS, ROWS, WIDTH = ("clicks", "buys"), (4, 3), 3, 4
TASKS = tuple(TaskSpec(name, name) for name in ("click", "like", "buy"))
INPUTS = ModelInputs(
    (), (), tuple(map(SequenceInput, NAMES, ("item",) * 2, LENGTHS)), "item", ("all",), TASKS
)
#: Real positions of each row: the second row's buys and the third row's clicks are empty.
COUNTS = {"clicks": (4, 2, 0), "buys": (1, 0, 3)}


def softmax(scores, real):
    powers = [np.exp(score) if r else 0.0 for score, r in zip(scores, real, strict=True)]
    return np.asarray(powers) / (sum(powers) or 1.0)


def own(weight, copy, rank):
    """A weight in float64, that of one copy where there are several."""
    values = np.asarray(weight, "float64")
    return values[copy] if values.ndim > rank else values


def normalised(rows):
    """Vectors ``(..., k)`` with mean 0 and variance 1."""
    centred = rows - rows.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + 1e-6)


def dense(layer, inputs, copy, kernel_factor=1.0, bias_factor=1.0):
    outputs = inputs @ (own(layer.kernel, copy, 2) * kernel_factor)
    return outputs if layer.bias is None else outputs + own(layer.bias, copy, 1) * bias_factor


def attention(layer, copy, queries, keys, real, factors=None):
    factors = factors or {}
    projected = {}
    for name, inputs in {"query": queries, "key": keys, "value": keys}.items():
        rows = [dense(getattr(layer, name), row, copy, factors.get(name, 1.0)) for row in inputs]
        projected[name] = np.stack(rows)
    size = queries.shape[1] // layer.heads
    outputs = []
    for query in projected["query"]:
        heads = []
        for head in range(layer.heads):
            part = slice(head * size, (head + 1) * size)
            scores = [query[part] @ key[part] / np.sqrt(size) for key in projected["key"]]
            weights = softmax(scores, real)
            heads.append(sum(w * v[part] for w, v in zip(weights, projected["value"], strict=True)))
        outputs.append(dense(layer.output_layer, np.concatenate(heads), copy))
    return np.stack(outputs)


def norm(layer, copy, row, scale=1.0, shift=0.0):
    normal = (row - row.mean()) / np.sqrt(row.var() + layer.epsilon)
    gamma, beta = (np.asarray(w, "float64") for w in (layer.scale, layer.shift))
    if gamma.ndim == 3:
        gamma, beta = gamma[copy, 0], beta[copy, 0]
    return scale * gamma * normal + shift + beta


def block(layer, copy, queries, keys, real, condition=None, activation=None):
    """One Transformer layer; a condition holds the arrays of this one sequence."""
    given = condition or {}
    activation = activation or (lambda x: np.maximum(x, 0))
    mixed = attention(layer.attention, copy, queries, keys, real, given)
    outputs = []
    for query, mix in zip(queries, mixed, strict=True):
        hidden = norm(
            layer.first_norm,
            copy,
            query + mix,
            given.get("scale_1", 1.0),
            given.get("shift_1", 0.0),
        )
        inner = [given.get(f"inner_{part}", 1.0) for part in ("kernel", "bias")]
        outer = [given.get(f"outer_{part}", 1.0) for part in ("kernel", "bias")]
        inside = activation(dense(layer.inner, hidden, copy, *inner))
        result = hidden + dense(layer.outer, inside, copy, *outer)
        outputs.append(
            norm(
                layer.second_norm,
                copy,
                result,
                given.get("scale_2", 1.0),
                given.get("shift_2", 0.0),
            )
        )
    return np.stack(outputs)


def data(seed=0):
    random = np.random.RandomState(seed)
    values = {
        n: random.randn(ROWS, length, WIDTH) for n, length in zip(NAMES, LENGTHS, strict=True)
    }
    masks = {
        n: np.arange(length) < np.asarray(COUNTS[n])[:, None]
        for n, length in zip(NAMES, LENGTHS, strict=True)
    }
    return values, masks, random.randn(ROWS, WIDTH)


def build(name, **options):
    """An encoder with random weights, and its interests."""
    keras.utils.set_random_seed(1)
    encoder = SEQUENCE_ENCODERS.build(name, options, INPUTS)
    values, masks, target = data()
    inputs = (
        {n: v.astype("float32") for n, v in values.items()}, masks, target.astype("float32"),
    )  # fmt: skip
    encoder(*inputs)
    for index, weight in enumerate(encoder.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    return encoder, np.asarray(encoder(*inputs))


def rows(scaled=normalised):
    """Of each batch row: its target, and its sequences with the mask of each, as it is compared."""
    values, masks, target = data()
    for row in range(ROWS):
        sequences = [(scaled(values[n][row]), masks[n][row]) for n in NAMES]
        yield row, scaled(target[row]), sequences


@pytest.fixture
def reference():
    parts = (softmax, own, normalised, dense, attention, norm, block, data, build, rows)
    return SimpleNamespace(inputs=INPUTS, width=WIDTH, **{part.__name__: part for part in parts})
