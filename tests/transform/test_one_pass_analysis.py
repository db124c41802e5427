"""The analysis' accumulators against NumPy, in pieces as Beam cuts them, and against TFT's own."""

import collections
import pickle

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from transform import one_pass_analysis
from transform.one_pass_analysis import (
    NumericRequest,
    VocabularyRequest,
    _Counts,
    _Numbers,
    analyze,
)


def _merged(kind, arguments, pieces):
    """Three workers' accumulators, sent over the wire and merged."""
    workers = [kind(*arguments) for _ in range(3)]
    for index, piece in enumerate(pieces):
        workers[index % 3].add(piece)
    merged = kind(*arguments)
    for worker in workers:
        merged.merge(pickle.loads(pickle.dumps(worker)))
    return merged


@pytest.mark.parametrize("limit", [1 << 20, 5])
def test_counts_of_pieces_add_up(monkeypatch, limit):
    """Also where the counts are compacted after every piece."""
    monkeypatch.setattr(one_pass_analysis, "_COMPACTION_ROWS", limit)
    random = np.random.default_rng(0)
    values = np.array([f"v{int(x)}".encode() for x in random.exponential(8, 2000)], object)
    merged = _merged(_Counts, (), np.array_split(values, 17))
    counts = collections.Counter(values)
    expected = sorted(counts, key=lambda value: (-counts[value], value))
    assert merged.most_frequent(None, 1) == expected
    assert merged.most_frequent(4, 1) == expected[:4]
    assert merged.most_frequent(None, 30) == [v for v in expected if counts[v] >= 30]


def test_accumulators_merge_in_any_order_and_grouping():
    """As Beam may: one after the other, backwards, in pairs; with empty ones between."""
    random = np.random.default_rng(2)
    words = [np.array([b"%d" % x for x in random.poisson(3, 50)], object) for _ in range(6)]
    numbers = [random.normal(100, 1, 50).astype("float32") for _ in range(6)]

    def accumulators():
        combine = one_pass_analysis._CombineParts([_Counts, _Numbers], [(), (4,)])
        filled = [
            combine.add_input(combine.create_accumulator(), batch)
            for batch in zip(words, numbers, strict=True)
        ]
        return combine, [*filled[:3], combine.create_accumulator(), *filled[3:]]

    def results(group):
        combine, parts = accumulators()
        counts, described = combine.extract_output(group(combine.merge_accumulators, parts))
        return counts.most_frequent(None, 1), described.summary()

    orders = [
        results(lambda merge, parts: merge(parts)),
        results(lambda merge, parts: merge(parts[::-1])),
        results(lambda merge, parts: merge([merge(parts[:2]), merge([merge(parts[2:])])])),
    ]
    counted = collections.Counter(value for piece in words for value in piece)
    for values, summary in orders:
        assert values == sorted(counted, key=lambda value: (-counted[value], value))
        np.testing.assert_allclose(summary, orders[0][1], rtol=1e-6)
    everything = np.concatenate(numbers).astype(float)
    np.testing.assert_allclose(orders[0][1][:2], [everything.mean(), everything.std()], rtol=1e-9)


def test_counts_leave_out_what_a_line_can_not_hold():
    counts = _Counts()
    counts.add(np.array([b"", b"a", b"b\nc", b"d\re", b"a"], object))
    counts.add(np.array([], object))
    assert counts.most_frequent(None, 1) == [b"a"]
    assert _Counts().most_frequent(None, 1) == []


def test_moments_and_quantiles_of_pieces_add_up():
    random = np.random.default_rng(0)
    values = (1e4 + random.gamma(2.0, 1.0, 20_000)).astype("float32")
    summary = _merged(_Numbers, (10,), np.array_split(values, 23)).summary()
    wide = values.astype(float)
    expected = [wide.mean(), wide.std(), wide.min(), wide.max()]
    np.testing.assert_allclose(summary[:4], expected, rtol=1e-9)
    ranks = [np.mean(values <= boundary) for boundary in summary[4:]]
    np.testing.assert_allclose(ranks, np.arange(1, 10) / 10, atol=0.002)


def test_what_is_no_number_does_not_count():
    numbers = _Numbers(3)
    numbers.add(np.array([np.nan, np.inf, 1, 3, -np.inf], "float32"))
    numbers.add(np.array([], "float32"))
    assert numbers.summary()[:4] == [2, 1, 1, 3]
    assert _Numbers(3).summary() == [0.0] * 6
    assert _merged(_Numbers, (3,), []).summary() == [0.0] * 6


def _ours_and_theirs(inputs):
    """Our analysis and TFT's analyzers on the same values, as constants beside each row."""
    word, number = inputs["word"].values, inputs["number"].values
    files, summaries = analyze(
        {"ours": VocabularyRequest(word, 6, 2)}, {"number": NumericRequest(number, 5)}
    )
    theirs = tft.vocabulary(word, top_k=6, frequency_threshold=2, vocab_filename="theirs")
    summary = summaries["number"]
    row = tf.ones_like(inputs["row"], tf.float32)
    values = {
        "mean": (summary.mean, tft.mean(number)),
        "deviation": (summary.deviation, tf.sqrt(tft.var(number))),
        "minimum": (summary.minimum, tft.min(number)),
        "maximum": (summary.maximum, tft.max(number)),
    }
    outputs = {f"{name}_{i}": row * pair[i] for name, pair in values.items() for i in (0, 1)}
    ids = {"ours": files["ours"], "theirs": theirs}
    for name, file in ids.items():
        outputs[name] = tf.sparse.to_dense(
            tft.apply_vocabulary(inputs["word"], file), default_value=-2
        )[:, 0]
    outputs["bucket"] = tft.apply_buckets(
        tf.sparse.to_dense(inputs["number"])[:, 0], summary.boundaries[tf.newaxis]
    )
    outputs["their_bucket"] = tft.bucketize(tf.sparse.to_dense(inputs["number"])[:, 0], 5)
    return outputs


def test_agrees_with_tfts_own_analyzers(tmp_path):
    random = np.random.default_rng(1)
    rows = [
        {"word": [f"w{int(random.exponential(2))}"], "number": [float(random.normal())], "row": 1}
        for _ in range(800)
    ]
    spec = {
        "word": tf.io.VarLenFeature(tf.string),
        "number": tf.io.VarLenFeature(tf.float32),
        "row": tf.io.FixedLenFeature([], tf.int64),
    }
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    with tft_beam.Context(temp_dir=str(tmp_path)), beam.Pipeline():
        (data, _), _ = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(_ours_and_theirs)
    columns = {name: np.array([row[name] for row in data]) for name in data[0]}
    for name in ("mean", "deviation", "minimum", "maximum"):
        np.testing.assert_allclose(columns[f"{name}_0"], columns[f"{name}_1"], rtol=1e-5)
    # Words of equal frequency may stand in another order, and so may be cut off.
    counts = collections.Counter(row["word"][0] for row in rows)
    frequency = np.array([counts[row["word"][0]] for row in rows])
    for name in ("ours", "theirs"):
        known = columns[name] >= 0
        assert columns[name].max() == 5
        assert frequency[known].min() >= max(2, frequency[~known].max())
    assert np.mean(columns["bucket"] == columns["their_bucket"]) > 0.98
