"""Rows as callers send them, from examples as ingestion or another reader wrote them."""

import numpy as np
import tensorflow as tf

from mtlx.components.serving_check.request_rows import columns_of, without_labels
from mtlx.transform.contract.data_contract import DataContract
from tests.components.serving_check.toy_models import CONTRACT, encode


def test_columns_have_what_the_examples_have():
    examples = [encode("größe", 1.5, ["a", "b"]), encode(), encode("x", float("inf"), ["c"])]
    columns = columns_of(examples, CONTRACT)
    assert columns["item"].tolist() == ["größe".encode(), b"", b"x"]
    assert columns["price"].dtype == np.float32
    assert columns["price"].tolist()[::2] == [1.5, float("inf")] and np.isnan(columns["price"][1])
    assert columns["clicks"].tolist() == [[b"a", b"b"], [b"", b""], [b"c", b""]]


def test_rows_without_any_item_have_sequences_of_length_0():
    assert columns_of([encode("a"), encode("b")], CONTRACT)["clicks"].shape == (2, 0)


def test_numbers_of_another_reader_are_texts_where_the_contract_says_so():
    example = tf.train.Example()
    example.features.feature["item"].int64_list.value.append(5345439)
    example.features.feature["price"].int64_list.value.append(7)
    columns = columns_of([example.SerializeToString()], CONTRACT)
    assert columns["item"].tolist() == [b"5345439"] and columns["price"].tolist() == [7.0]


def test_labels_and_other_columns_are_left_out():
    (kept,) = without_labels([encode("a", 1.0, ["b"], clicked=1)], CONTRACT)
    assert set(tf.train.Example.FromString(kept).features.feature) == {"item", "price", "clicks"}
    narrow = DataContract.read(
        {"features": {"item": {"kind": "categorical"}}, "tasks": {"click": {"label": "clicked"}}}
    )
    (kept,) = without_labels([kept], narrow)
    assert set(tf.train.Example.FromString(kept).features.feature) == {"item"}
