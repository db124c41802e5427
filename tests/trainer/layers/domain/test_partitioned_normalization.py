"""The moving statistics against the statistics of the rows themselves."""

import numpy as np
import pytest

from mtlx.trainer.layers.domain.partitioned_normalization import PartitionedNormalization

RANDOM = np.random.RandomState(0)
#: Three batches; domain 2 comes in the first one alone, domain 3 never.
IDS = [np.asarray([0, 0, 1, 2, 2, 1, 1]), np.asarray([0, 1, 1, 0, 0]), np.asarray([1, 1, 0])]
BATCHES = [(RANDOM.randn(len(ids), 2) * 2 + ids[:, None]).astype("float32") for ids in IDS]
MOMENTUM = 0.9


@pytest.fixture
def layer():
    layer = PartitionedNormalization(4, MOMENTUM)
    layer(BATCHES[0], IDS[0])
    for index, weight in enumerate(layer.trainable_variables):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    return layer


def _expected(layer, values, domain, rows, weights):
    """One row by the definition; `rows` of its domain so far, with weights."""
    mean, variance = np.zeros(2), np.ones(2)
    if len(rows):
        mean = np.average(rows, axis=0, weights=weights)
        variance = np.average((rows - mean) ** 2, axis=0, weights=weights)
    normal = (values - mean) / np.sqrt(variance + layer.epsilon)
    scale = np.asarray(layer.scale) * np.asarray(layer.domain_scale)[domain]
    return normal * scale + np.asarray(layer.shift) + np.asarray(layer.domain_shift)[domain]


@pytest.mark.parametrize("seen", [0, 1, 2, 3])
def test_normalises_by_the_moving_statistics_of_the_domain(layer, seen):
    for values, ids in zip(BATCHES[:seen], IDS[:seen], strict=True):
        layer(values, ids, training=True)
    ages = np.concatenate([np.full(len(IDS[b]), seen - 1 - b) for b in range(seen)] or [[]])
    rows, ids = (
        np.concatenate([*part[:seen], part[0][:0]]).astype("float64") for part in (BATCHES, IDS)
    )
    queries, domains = BATCHES[0][:4], np.asarray([0, 1, 2, 3])
    for training in (False, True):  # by the statistics before this batch
        outputs = np.asarray(layer(queries, domains, training=training))
        for row, domain in enumerate(domains):
            own = ids == domain
            expected = _expected(layer, queries[row], domain, rows[own], MOMENTUM ** ages[own])
            np.testing.assert_allclose(outputs[row], expected, rtol=1e-3, atol=1e-3)


def test_inference_changes_nothing_and_training_only_statistics(layer):
    before = [np.array(weight) for weight in layer.weights]
    layer(BATCHES[0], IDS[0])
    for old, new in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    layer(BATCHES[0], IDS[0], training=True)
    changed = [
        weight.name
        for old, weight in zip(before, layer.weights, strict=True)
        if not np.array_equal(old, weight)
    ]
    assert changed == ["counts", "sums", "squares"]
    assert {weight.name for weight in layer.non_trainable_variables} == set(changed)


def test_a_domain_without_rows_keeps_its_statistics(layer):
    for values, ids in zip(BATCHES, IDS, strict=True):
        layer(values, ids, training=True)
    query, domain = BATCHES[0][:1], np.asarray([2])
    expected = np.asarray(layer(query, domain))
    zeros = np.zeros((3, 2), "float32")
    for _ in range(1000):
        layer.statistics.add(zeros, np.zeros(3, "int64"))
    assert 0 < float(layer.statistics.counts[2, 0]) < 1e-19
    np.testing.assert_allclose(layer(query, domain), expected, rtol=1e-3, atol=1e-3)


def test_rows_do_not_depend_on_each_other_in_training(layer):
    layer(BATCHES[0], IDS[0], training=True)
    alone = np.asarray(layer(BATCHES[1][:1], IDS[1][:1]))
    together = np.asarray(layer(BATCHES[1], IDS[1], training=True))
    np.testing.assert_allclose(together[:1], alone, rtol=1e-5)
