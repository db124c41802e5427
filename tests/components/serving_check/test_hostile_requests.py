"""Every sort of request is made for every sort of contract, and keeps the two signatures' forms."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.components.serving_check.hostile_requests import hostile_requests
from mtlx.components.serving_check.request_rows import columns_of, without_labels
from mtlx.transform.contract.data_contract import DataContract
from tests.components.serving_check.toy_models import CONTRACT, rows

NUMBERS = DataContract.read(
    {"features": {"price": {"kind": "numeric"}}, "tasks": {"click": {"label": "clicked"}}}
)
VECTORS = DataContract.read(
    {
        "features": {
            "text": {"kind": "vector", "size": 2, "standardise": True},
            "image": {"kind": "vector", "size": 3},
        },
        "tasks": {"click": {"label": "clicked"}},
    }
)
TEXTS = DataContract.read(
    {"features": {"item": {"kind": "categorical"}}, "tasks": {"click": {"label": "clicked"}}}
)


@pytest.mark.parametrize("contract", [CONTRACT, NUMBERS, TEXTS])
@pytest.mark.parametrize("number", [1, 2, 30])
def test_requests_are_made_of_any_contract_and_of_few_rows(contract, number):
    examples = without_labels(rows(number), contract)
    requests = hostile_requests(examples, columns_of(examples, contract), contract)
    titles = [(signature, title) for title, signature, _ in requests]
    assert len(set(titles)) == len(titles) > 30
    for title, signature, inputs in requests:
        if signature == "serving_default":
            assert list(inputs) == ["examples"]
        assert all(isinstance(values, np.ndarray) for values in inputs.values()), title
    sent = " ".join(title for title, _, _ in requests)
    for sort in ("cut in its middle", "2 GiB", "never seen", "not UTF-8", "without", "for numbers",
                 "nan", "inf", "1 MB", "unequal length"):  # fmt: skip
        assert sort in sent or (contract is TEXTS and sort in ("nan", "inf", "for numbers"))


def test_vectors_are_sent_numbers_far_away():
    example = tf.train.Example()
    for name, size in {"text": 2, "image": 3}.items():
        example.features.feature[name].float_list.value.extend([1.0] * size)
    examples = [example.SerializeToString()]
    requests = hostile_requests(examples, columns_of(examples, VECTORS), VECTORS)
    sent = {title: inputs["examples"] for title, _, inputs in requests if "of vectors" in title}
    assert set(sent) == {"3e+38 for every number of vectors", "-3e+38 for every number of vectors"}
    for title, (text,) in sent.items():
        values = tf.train.Example.FromString(text).features.feature
        number = np.float32(title.split()[0])
        assert list(values["text"].float_list.value) == [number] * 2
        assert list(values["image"].float_list.value) == [number] * 3


def test_weights_are_sent_too_large_each_with_its_value():
    tags = {"kind": "categorical", "multiple": True, "weights": "w"}
    given = {"features": {"tags": tags}, "tasks": {"click": {"label": "clicked"}}}
    contract = DataContract.read(given)
    example = tf.train.Example()
    example.features.feature["tags"].bytes_list.value.extend([b"a", b"b"])
    example.features.feature["tags.weights"].float_list.value.extend([1.0, 2.0])
    examples = [example.SerializeToString()]
    requests = hostile_requests(examples, columns_of(examples, contract), contract)
    ((text,),) = [x["examples"] for title, _, x in requests if title == "3e+38 for every weight"]
    values = tf.train.Example.FromString(text).features.feature
    assert len(values["tags"].bytes_list.value) == 1
    assert list(values["tags.weights"].float_list.value) == [np.float32(3e38)]
