"""Several values, vectors and crosses: TFT's own analysis and ours give the same numbers."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import MISSING_ID, OUT_OF_VOCABULARY_ID

CONTRACT = {
    "features": {
        "city": {"kind": "categorical", "vocabulary": {"top_k": 3}},
        "hour": {"kind": "categorical", "embed": False},
        "tags": {"kind": "categorical", "multiple": True, "weights": "w", "max_values": 2,
                 "vocabulary": {"min_count": 2}},
        "text": {"kind": "vector", "size": 3, "standardise": True},
        "image": {"kind": "vector", "size": 3},
        "both": {"kind": "cross", "of": ["city", "hour"], "hash_buckets": 5000},
    },
    "tasks": {"ctr": {"label": "click"}},
    "missing": ["", "-1", "2.0"],
}  # fmt: skip
SPEC = {
    **{name: tf.io.VarLenFeature(tf.string) for name in ("city", "hour", "tags")},
    **{name: tf.io.VarLenFeature(tf.float32) for name in ("tags.weights", "text", "image")},
    "click": tf.io.VarLenFeature(tf.int64),
}


def _rows(count=200):
    random = np.random.default_rng(5)
    rows = []
    for number in range(count):
        tags = [f"t{n}" for n in random.integers(0, 5, random.integers(0, 5))]
        rows.append(
            {
                "city": [] if number % 11 == 3 else [f"c{random.integers(5)}"],
                "hour": [str(random.integers(24))],
                "tags": tags,
                "tags.weights": [float(w) for w in random.integers(0, 3, len(tags))],
                # -1 stands for a missing value, but is a number of a vector.
                "text": [] if number % 7 == 2 else [-1.0, *map(float, random.normal(size=2))],
                "click": [int(random.integers(2))],
            }
        )
    rows[5]["text"] = [-1.0, 1e9, 0.0]
    for row in rows:
        row["image"] = row["text"]
    rows[4]["tags"], rows[4]["tags.weights"] = ["t1", "once", "t2"], [1.0, 0.5, 2.0]
    return rows


def test_both_analyses_agree_and_follow_the_rules(transform, one_pass):
    contract, rows = DataContract.read(CONTRACT), _rows()
    found = one_pass(contract, rows, SPEC)
    stock = transform(contract, rows, SPEC)
    assert set(found.columns) == set(stock.columns)
    for name, column in found.columns.items():
        np.testing.assert_allclose(column, stock.columns[name], atol=1e-5, err_msg=name)
    columns = found.columns
    names = [v.decode() for v in found.graph.vocabulary_by_name("tags_vocabulary")]
    assert "once" not in names
    assert columns["tags.weights"].max() == 2, "the largest, though 2 is a missing number"
    for row, ids, weights in zip(rows, columns["tags"], columns["tags.weights"], strict=True):
        pairs = [(v, w) for v, w in zip(row["tags"], row["tags.weights"], strict=True) if w > 0]
        expected = [
            (3 + names.index(v) if v in names else OUT_OF_VOCABULARY_ID, w) for v, w in pairs[:2]
        ] or [(MISSING_ID, 1.0)]
        expected += [(0, 0.0)] * (2 - len(expected))
        assert list(zip(ids.tolist(), weights.tolist(), strict=True)) == expected
    vectors = np.array([row["text"] or [np.nan] * 3 for row in rows], np.float32)
    there = np.isfinite(vectors).all(axis=1)
    deviation = vectors[there].std(axis=0)
    assert deviation[0] == 0, "the same in every row"
    standard = (vectors - vectors[there].mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    assert standard[5, 1] > 10, "so far away is nothing: it is taken for ten deviations"
    standard = np.clip(standard, -10, 10)
    np.testing.assert_allclose(columns["text"], np.where(there[:, None], standard, 0), atol=1e-5)
    wide = vectors[there].astype(np.float64)
    reach = 10 * wide.std(axis=0)
    near = np.clip(vectors, wide.mean(axis=0) - reach, wide.mean(axis=0) + reach)
    assert near[5, 1] < vectors[5, 1], "nor does it stay where nothing is standardised"
    expected = np.where(there[:, None], near, 0)
    np.testing.assert_allclose(columns["image"], expected, rtol=1e-6)
    # Values that the vocabulary of `city` lacks are still told apart in the cross.
    pairs = [(*row["city"], row["hour"][0]) for row in rows if row["city"]]
    ids = columns["both"][[bool(row["city"]) for row in rows]]
    assert len(set(ids.tolist())) == pytest.approx(len(set(pairs)), abs=2)
    assert (columns["both"][[not row["city"] for row in rows]] == MISSING_ID).all()
