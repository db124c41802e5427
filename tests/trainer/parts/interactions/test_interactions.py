"""The modules against plain NumPy, written from the papers' equations, one copy at a time."""

from itertools import combinations

import keras
import numpy as np
import pytest

from mtlx.trainer.parts.interactions import INTERACTIONS
from mtlx.trainer.parts.interactions.cross_hash import PRIME, CrossHash
from mtlx.trainer.parts.interactions.settings import InteractionSettings
from mtlx.transform.config.settings import SettingsError

COPIES, FIELDS, SIZE = 3, 5, 4
NAMES = ("user", "item", "city", "brand")
RANDOM = np.random.RandomState(0)
EMBEDDED = RANDOM.randn(6, FIELDS, SIZE).astype("float32")
IDS = RANDOM.randint(1, 50, (6, len(NAMES)))
FLAT = EMBEDDED.reshape(6, -1)


def _build(name, **options):
    """A module with random weights, biases included, and its output."""
    keras.utils.set_random_seed(1)
    module = INTERACTIONS.build(name, {"units": 7, **options}, COPIES, NAMES)
    module(EMBEDDED, IDS)
    for index, weight in enumerate(module.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    return module, np.asarray(module(EMBEDDED, IDS))


def _dense(layer, inputs, copy):
    outputs = inputs @ np.asarray(layer.kernel)[copy]
    return outputs if layer.bias is None else outputs + np.asarray(layer.bias)[copy]


def _relu(values):
    return np.maximum(values, 0)


def _normalise(layer, values, copy):
    centred = values - values.mean(-1, keepdims=True)
    normal = centred / np.sqrt(values.var(-1, keepdims=True) + layer.epsilon)
    return normal * np.asarray(layer.scale)[copy] + np.asarray(layer.shift)[copy]


def _close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("rank", [None, 2])
def test_gdcn(rank):
    module, outputs = _build("gdcn", layers=3, rank=rank)

    def apply(layer, values, copy):
        if rank is None:
            return _dense(layer, values, copy)
        return _dense(layer.layers[1], _dense(layer.layers[0], values, copy), copy)

    for copy in range(COPIES):
        crossed = FLAT
        for cross, gate in zip(module.crosses, module.gates, strict=True):
            sigmoid = 1 / (1 + np.exp(-apply(gate, crossed, copy)))
            crossed = FLAT * apply(cross, crossed, copy) * sigmoid + crossed
        expected = _dense(module.output_map, crossed, copy)
        np.testing.assert_allclose(outputs[:, copy], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("block_units", [None, 9])
@pytest.mark.parametrize("arrangement", ["serial", "parallel"])
def test_masknet(arrangement, block_units):
    module, outputs = _build(
        "masknet", arrangement=arrangement, blocks=2, aggregation=6, block_units=block_units
    )
    for copy in range(COPIES):
        normal = _normalise(module.field_normalization, EMBEDDED, copy).reshape(6, -1)
        results, hidden = [], normal
        for block in module.blocks:
            mask = _dense(
                block.projection, _relu(_dense(block.aggregation_layer, FLAT, copy)), copy
            )
            masked = _dense(block.output_map, mask * hidden, copy)
            results.append(_relu(_normalise(block.normalization, masked, copy)))
            hidden = results[-1] if arrangement == "serial" else normal
        if arrangement == "parallel":
            hidden = np.concatenate(results, axis=-1)
        elif block_units is None:
            _close(outputs[:, copy], hidden)
            continue
        _close(outputs[:, copy], _dense(module.output_map, hidden, copy))


def _group_dense(layer, values, group, activate=False):
    outputs = _dense(layer, values, group)
    return _relu(outputs) if activate else outputs


def _memonet(module, copy, chosen, restore, shrink, hashes, hcnets):
    """One copy, cross by cross."""
    table = np.asarray(module.codebooks).reshape(hcnets, module.codewords, COPIES, -1)
    embedded = EMBEDDED[:, chosen]
    pairs = list(combinations(range(len(chosen)), 2))
    ids = IDS[:, chosen]
    hashed = np.asarray(
        module.cross_hash(ids[:, [i for i, _ in pairs]], ids[:, [j for _, j in pairs]])
    )
    parts = []
    for net in range(hcnets):
        group = copy * hcnets + net
        vectors = []
        for place, (i, j) in enumerate(pairs):
            rows = [hashed[:, place, net * hashes + m] for m in range(hashes)]
            codes = np.concatenate([table[net, row, copy] for row in rows], axis=-1)
            if restore == "amr":
                pair = np.concatenate([embedded[:, i], embedded[:, j]], axis=-1)
                hidden = _group_dense(
                    module.attention_hidden.hidden_layers[0], pair, group, activate=True
                )
                codes = codes * _group_dense(module.attention, hidden, group)
            vectors.append(_group_dense(module.restoration, codes, group))
        if shrink == "global":
            flat = embedded.reshape(6, -1)
            hidden = _group_dense(
                module.shrinking_hidden.hidden_layers[0], flat, group, activate=True
            )
            weights = _group_dense(module.shrinking, hidden, group)
            vectors = [
                sum(weights[:, p, None] * vectors[p] for p, pair in enumerate(pairs) if s in pair)
                for s in range(len(chosen))
            ]
        parts += vectors
    restored = np.concatenate(parts, axis=-1)
    return _dense(module.base_map, FLAT, copy) + _dense(module.restored_map, restored, copy)


@pytest.mark.parametrize("shrink", ["global", "none"])
@pytest.mark.parametrize("restore", ["lmr", "amr"])
def test_memonet(restore, shrink):
    options = {"restore": restore, "shrink": shrink, "hashes": 3, "hcnets": 2}
    module, outputs = _build(
        "memonet", fields=["city", "user", "brand"], codewords=11, code_size=3, **options
    )
    for copy in range(COPIES):
        expected = _memonet(module, copy, [2, 0, 3], restore, shrink, 3, 2)
        np.testing.assert_allclose(outputs[:, copy], expected, rtol=1e-3, atol=1e-3)


def test_memonet_counts_fields_from_the_first():
    module, _ = _build("memonet", fields=3)
    assert module.chosen.tolist() == [0, 1, 2]
    module, _ = _build("memonet", fields=99)
    assert module.chosen.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("fields", "message"),
    [(["usr", "item"], "did you mean 'user'"), (["item", "item"], "twice"), (["item"], "two")],
)
def test_memonet_refuses_fields(fields, message):
    with pytest.raises(SettingsError, match=message):
        _build("memonet", fields=fields)


def _hash_by_python(hashing, left, right, cross, function):
    """The definition, in Python's unbounded integers."""
    factors = [
        int(table[cross, function])
        for table in (hashing.left, hashing.right, hashing.offset, hashing.second)
    ]
    mixed = (left % PRIME * factors[0] + right % PRIME * factors[1] + factors[2]) % PRIME
    mixed = (mixed + mixed // 32_768) * factors[3] % PRIME
    return (mixed + mixed // 8_192) % PRIME % hashing.buckets


def test_hash_does_not_overflow_and_never_changes():
    hashing = CrossHash(crosses=2, functions=3, buckets=10_000)
    largest = 2**63 - 1
    left = np.asarray([[0, 1], [2**31, 2**31 - 2], [largest, largest]])
    right = np.asarray([[0, 1], [7, 2**31 - 2], [largest, largest - 1]])
    hashed = np.asarray(hashing(left, right))
    for row, cross, function in np.ndindex(hashed.shape):
        expected = _hash_by_python(
            hashing, int(left[row, cross]), int(right[row, cross]), cross, function
        )
        assert hashed[row, cross, function] == expected
    # Saved models and later releases must agree on these.
    assert hashed[1].tolist() == [[4377, 7003, 315], [1879, 4687, 3006]]


def test_hash_spreads_and_functions_are_independent():
    hashing = CrossHash(crosses=1, functions=2, buckets=100)
    left, right = np.meshgrid(np.arange(200), np.arange(200))
    hashed = np.asarray(hashing(left.reshape(-1, 1), right.reshape(-1, 1)))[:, 0]
    joint = np.bincount(hashed[:, 0] * 100 + hashed[:, 1], minlength=10_000)
    for function in range(2):
        counts = np.bincount(hashed[:, function], minlength=100)
        # 40,000 crosses in 100 buckets: 400 each, standard deviation 20
        assert 300 < counts.min() and counts.max() < 500
    # 4 per joint bucket with variance 4 if the functions are independent
    assert 3 < joint.var() < 5


def test_settings_check_nested_options():
    with pytest.raises(ValueError, match="did you mean 'hashes'"):
        InteractionSettings(name="memonet", options={"hashs": 3})
    with pytest.raises(ValueError, match="unknown interaction"):
        InteractionSettings(name="senat")
    with pytest.raises(ValueError, match="network's own option"):
        InteractionSettings(name="gdcn", options={"units": 3})
