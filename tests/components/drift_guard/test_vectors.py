"""Vectors move by the means of their numbers; several values by their shares, as sequences do."""

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.batch_statistics_gen.count_columns import CountColumns
from mtlx.components.batch_statistics_gen.split_counts import SplitCounts
from mtlx.components.drift_guard.described_rows import DescribedRows
from mtlx.components.drift_guard.feature_drift import feature_drift
from mtlx.components.drift_guard.settings import DriftSettings, FeatureThresholds
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {
            "text": {"kind": "vector", "size": 16},
            "tags": {"kind": "categorical", "multiple": True, "weights": "w"},
        },
        "tasks": {"click": {"label": "click"}},
    }
)


def _counts(vectors, weight=1.0):
    rows = len(vectors)
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array(
                [None if v is None else list(v) for v in vectors], pa.large_list(pa.float32())
            ),
            pa.array([[b"a", b"b"]] * rows, pa.large_list(pa.large_binary())),
            pa.array([[weight, 2.0]] * rows, pa.large_list(pa.float32())),
            pa.array([[0]] * rows, pa.large_list(pa.int64())),
        ],
        ["text", "tags", "tags.weights", "click"],
    )
    combine = CountColumns(CONTRACT)
    parts = combine.create_accumulator()
    for start in range(0, rows, 100):
        parts = combine.add_input(parts, batch.slice(start, 100))
    return combine.extract_output(parts)


def _rotated(random, rows):
    """Of length 1, as embeddings often are, around one direction."""
    vectors = random.normal(size=(rows, 16)) * 0.3
    vectors[:, 0] += 1.0
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _text(new, before, **thresholds):
    settings = DriftSettings.read({"thresholds": thresholds})
    described = [DescribedRows(counts, {}, (counts,)) for counts in (new, before)]
    return feature_drift("text", *described, CONTRACT, settings)


def test_moments_are_those_of_all_rows(tmp_path):
    vectors = list(_rotated(np.random.default_rng(1), 350))
    vectors[7] = None
    counts = _counts(vectors)
    there = np.array([v for v in vectors if v is not None], np.float32)
    counts.save(str(tmp_path))
    for found in (counts, SplitCounts.load(str(tmp_path)), SplitCounts.merged([counts, counts])):
        moments = found.vectors["text"]
        np.testing.assert_allclose(moments.mean, there.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(moments.deviation, there.std(axis=0), atol=1e-6)
    assert counts.present["text"] == 349
    assert counts.numbers["tags.weights"].counts.sum() == 700


@pytest.mark.parametrize("seed", [1, 2])
def test_another_source_of_vectors_is_found_though_lengths_stay(seed):
    random = np.random.default_rng(seed)
    before, same = (_rotated(random, 600) for _ in range(2))
    other = np.roll(_rotated(random, 600), 3, axis=1)
    quiet = _text(_counts(same), _counts(before))
    assert not any(movement.beyond for movement in quiet.movements)
    (moved,) = [m for m in _text(_counts(other), _counts(before)).movements if m.beyond]
    assert moved.measure == "mean_shift" and moved.detail in ("number 1", "number 4")
    assert moved.value > 2.0
    assert not any(
        m.beyond for m in _text(_counts(other), _counts(before), mean_shift=None).movements
    )


def test_thresholds_that_do_not_name_it_are_written_as_before():
    assert "mean_shift" not in DriftSettings.read({}).to_json()
    own = FeatureThresholds.read({"mean_shift": None})
    assert FeatureThresholds.from_json(own.to_json()).model_fields_set == {
        *FeatureThresholds.model_fields
    }
