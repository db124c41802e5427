"""Missing markers: the same in Arrow (reading) and in TensorFlow (analysis, training, serving)."""

import collections
import copy

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from mtlx.components.log_example_gen.values.missing_markers import MissingMarkers
from mtlx.components.log_example_gen.values.numbers import column_numbers
from mtlx.components.one_pass_transform.batch_counts import read_counts
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.columns.missing_values import as_numbers, as_texts, is_missing
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.preprocessing import preprocessing_fn

CONTRACT = {
    "features": {
        "item": {"kind": "categorical"},
        "city": {"kind": "categorical", "hash_buckets": 5},
        "scene": {"kind": "categorical"},
        "price": {"kind": "numeric"},
        "age": {"kind": "numeric", "transform": "quantile_buckets", "buckets": 3},
        "clicks": {"kind": "sequence", "of": "item", "max_length": 3},
    },
    "tasks": {"ctr": {"label": "click"}},
    "domain": {"feature": "scene", "values": ["feed", "search"]},
    "missing": ["NULL", "\\N", "-1"],
}
KINDS = {"categorical": tf.string, "numeric": tf.float32, "sequence": tf.string}
MARKERS = ["NULL", " NULL\t", "\\N", "-1", "", "   "]


@pytest.fixture(scope="module")
def contract():
    return DataContract.read(CONTRACT)


def _rows(count=60):
    """Rows with markers, and the same with no value in their places."""
    random = np.random.default_rng(0)
    marked, clean = [], []
    for index in range(count):
        marker = MARKERS[index % len(MARKERS)]
        items = [f"i{n}" for n in random.integers(0, 6, 4)]
        row = {
            "item": [items[0]],
            "city": [items[1]],
            "scene": ["search" if index % 3 else "feed"],
            "price": [float(index)],
            "age": [float(index % 7)],
            "clicks": items,
            "click": [index % 2],
        }
        gone = copy.deepcopy(row)
        if index % 4 == 0:
            row["item"], gone["item"] = [marker], []
            row["city"], gone["city"] = [marker], []
            row["price"], gone["price"] = [-1.0], []
            row["age"], gone["age"] = [-1.0], []
            row["clicks"] = [items[0], marker, items[1], marker, items[2]]
            gone["clicks"] = items[:3]
        marked.append(row)
        clean.append(gone)
    return marked, clean


def _lists(values, dtype):
    return tf.ragged.constant(values, dtype=dtype, ragged_rank=1).to_sparse()


@pytest.fixture(scope="module")
def expected(one_pass, contract):
    return one_pass(contract, _rows()[1])


@pytest.fixture(scope="module")
def found(one_pass, contract):
    return one_pass(contract, _rows()[0])


def _example(row):
    example = tf.train.Example()
    for name, values in row.items():
        feature = example.features.feature[name]
        if values and isinstance(values[0], str):
            feature.bytes_list.value.extend(value.encode() for value in values)
        elif values and name != "click":
            feature.float_list.value.extend(values)
    return example.SerializeToString()


def _same(columns, expected):
    for name, values in columns.items():
        np.testing.assert_allclose(values, expected.columns[name], atol=1e-5, err_msg=name)


def test_markers_are_no_values_in_analysis_and_training(found, expected):
    vocabulary = expected.graph.vocabulary_by_name("item_vocabulary")
    assert found.graph.vocabulary_by_name("item_vocabulary") == vocabulary
    assert set(vocabulary) == {b"i%d" % n for n in range(6)}
    assert set(found.columns) == set(expected.columns)
    _same(found.columns, expected)
    assert (expected.columns["item"][::4] == 1).all() and (found.columns["price"][::4] == 0).all()


def test_nor_are_they_in_tfts_own_analysis(transform, expected, contract):
    found = transform(contract, _rows()[0])
    assert set(found.graph.vocabulary_by_name("item_vocabulary")) == {b"i%d" % n for n in range(6)}
    _same({name: found.columns[name] for name in expected.columns}, expected)


def test_nor_in_either_signature_of_the_served_model(expected, contract, tmp_path):
    marked, clean = _rows()
    inputs = build_model_inputs(contract, expected.graph)
    model = RankingModel(inputs, ModelSettings(network="shared_bottom", embedding_size=4))
    ServedModel(model, expected.graph, contract).save(str(tmp_path))
    signatures = tf.saved_model.load(str(tmp_path)).signatures

    def by_examples(rows):
        return signatures["serving_default"](tf.constant([_example(row) for row in rows]))

    def by_columns(rows):
        length = max(len(row["clicks"]) for row in rows)
        columns = {
            name: [(row[name] or [np.nan if feature.kind == "numeric" else ""])[0] for row in rows]
            for name, feature in contract.features.items()
            if feature.kind != "sequence"
        }
        columns["clicks"] = [row["clicks"] + [""] * (length - len(row["clicks"])) for row in rows]
        return signatures["serving_columns"](**{k: tf.constant(v) for k, v in columns.items()})

    scores = by_examples(clean)["ctr"].numpy()
    assert len(set(scores.round(6))) > 20
    for other in (by_examples(marked), by_columns(marked), by_columns(clean)):
        np.testing.assert_allclose(other["ctr"], scores, atol=1e-6)


def test_a_row_without_a_label_is_no_row_with_label_zero(one_pass, contract):
    """Our reader lets none through; TFX's CsvExampleGen does."""
    rows = [dict(row) for row in _rows(8)[1]]
    rows[5]["click"] = []
    with pytest.raises(tf.errors.InvalidArgumentError, match="rows without a value of label click"):
        one_pass(contract, rows)


def test_numbers_that_another_reader_left_as_text(contract, tmp_path):
    """TFX's CsvExampleGen does with a column in which one value is no number."""
    texts = ["1.5", " NULL ", "-1.0", "", " 2 "]
    numbers = as_numbers(tf.constant(texts), contract).numpy()
    np.testing.assert_array_equal(numbers, np.array([1.5, np.nan, np.nan, np.nan, 2], "float32"))
    from tensorflow_transform.tf_metadata import schema_utils

    spec = {"price": tf.io.VarLenFeature(tf.string), "item": tf.io.VarLenFeature(tf.float32)}
    schema = schema_utils.schema_from_feature_spec(spec).SerializeToString()
    with tf.io.TFRecordWriter(str(tmp_path / "a.gz"), "GZIP") as writer:
        for text, item in zip(texts, (5.0, float("nan"), -1.0, 2.5, 5.0), strict=True):
            example = tf.train.Example()
            example.features.feature["price"].bytes_list.value.append(text.encode())
            example.features.feature["item"].float_list.value.append(item)
            writer.write(example.SerializeToString())
    (counts,) = read_counts(str(tmp_path / "a.gz"), contract, schema)
    np.testing.assert_array_equal(counts["price"][0], numbers)
    found = collections.Counter()
    for value, number in zip(*counts["item"], strict=True):
        found[value] += number
    assert found == {b"5": 2, b"": 2, b"2.5": 1}


def test_whole_numbers_of_another_reader_are_the_texts_that_ours_writes(contract):
    for values, texts in (
        (tf.constant([5, -1, 0], tf.int64), [b"5", b"", b"0"]),
        (tf.constant([5.0, -1.0, 2.5, np.nan, 123456.0]), [b"5", b"", b"2.5", b"", b"123456"]),
    ):
        assert as_texts(values, contract).numpy().tolist() == texts


def test_a_missing_value_has_its_id_in_dense_features_too(contract):
    inputs = {
        "item": tf.constant([" NULL", "x"]),
        "city": tf.constant(["\\N", "x"]),
        "scene": tf.constant(["feed", "-1"]),
        "price": tf.constant([-1.0, 2.0]),
        "age": tf.constant([-1.0, 2.0]),
        "clicks": tf.constant([["a", "NULL"], ["-1", "b"]]),
    }
    features = {
        name: {**feature, "hash_buckets": 9} if name in ("item", "scene") else feature
        for name, feature in CONTRACT["features"].items()
        if name != "age"
    }
    features["price"] = {"kind": "numeric", "transform": "none", "clip": "none"}
    hashed = DataContract.read({**CONTRACT, "features": features})
    outputs = preprocessing_fn(inputs, {"data_contract": hashed.to_json()})
    assert outputs["item"].numpy()[0] == outputs["city"].numpy()[0] == 1
    assert outputs["price"].numpy().tolist() == [0.0, 2.0]
    assert (outputs["clicks"].numpy() > 2).sum(axis=1).tolist() == [1, 1]


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(
    st.lists(
        st.text(st.sampled_from(" \t\n\v\f\r\x85\xa0\x1cNUL\\-10.é"), max_size=6)
        | st.sampled_from(MARKERS),
        min_size=1,
        max_size=20,
    )
)
def test_arrow_and_tensorflow_find_the_same_markers(texts):
    contract = DataContract.read(CONTRACT)
    arrow = MissingMarkers(contract).among_texts(pa.array(texts, pa.string()))
    graph = is_missing(tf.constant(texts), contract).numpy()
    np.testing.assert_array_equal(arrow, graph)


@hypothesis.settings(max_examples=100, deadline=None)
@hypothesis.given(
    st.lists(st.floats(width=32, allow_infinity=False) | st.sampled_from([-1.0, 0.1]), max_size=9)
)
def test_arrow_and_tensorflow_find_the_same_numbers(numbers):
    contract = DataContract.read({**CONTRACT, "missing": ["-1", "0.1", "7e0"]})
    arrow = column_numbers(pa.array(numbers, pa.float64()), MissingMarkers(contract))
    graph = as_numbers(tf.constant(numbers, tf.float32), contract).numpy()
    np.testing.assert_array_equal(np.isnan(arrow.number), np.isnan(graph))
