"""Domains outside the list, gathered or not, by both analyses, in training and serving."""

import pytest
import tensorflow as tf

from mtlx.transform.columns.domain_values import domain_index, domain_text, gathered, is_listed
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.domain import Domain

SCENES = ["feed", "moon", "search", None, "feed", "mars", "search", "search"]


def _contract(**domain):
    return DataContract.read(
        {
            "features": {"scene": {"kind": "categorical"}, "item": {"kind": "categorical"}},
            "domain": {"feature": "scene", "values": ["feed", "search"], **domain},
            "tasks": {"ctr": {"label": "click"}},
        }
    )


@pytest.mark.parametrize("analysis", ["one_pass", "stock"])
def test_gathered_domains_have_one_id_in_training_and_in_serving(request, analysis):
    run = request.getfixturevalue({"stock": "transform"}.get(analysis, analysis))
    rows = [
        {"scene": [scene] if scene else [], "item": [f"i{n % 3}"], "click": [n % 2]}
        for n, scene in enumerate(SCENES)
    ]
    result = run(_contract(other="rest"), rows)
    # The most frequent first, ties by falling value.
    assert result.graph.vocabulary_by_name("scene_vocabulary") == [b"search", b"rest", b"feed"]
    ids = {"search": 3, "rest": 4, "feed": 5}
    names = [scene if scene in ids else "rest" for scene in SCENES]
    assert result.columns["scene"].tolist() == [ids[name] for name in names]
    order = ["feed", "search", "rest"]
    assert result.columns["domain_id"].tolist() == [order.index(name) for name in names]
    served = result.graph.transform_features_layer()(
        {
            "scene": tf.SparseTensor([[0, 0], [1, 0]], ["feed", "never seen"], [3, 1]),
            "item": tf.SparseTensor([[0, 0]], ["i1"], [3, 1]),
        }
    )
    assert served["scene"].numpy().tolist() == [5, 4, 4]
    assert served["domain_id"].numpy().tolist() == [0, 2, 2]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, [0, 1, 0, 0]), ({"unknown": "search"}, [0, 1, 1, 1]), ({"other": "x"}, [0, 1, 2, 2])],
)
def test_index_of_values_that_are_listed_and_that_are_not(settings, expected):
    domain = Domain(feature="scene", values=["feed", "search"], **settings)
    values = tf.constant(["feed", "search", "moon", ""])
    assert domain_index(values, domain).numpy().tolist() == expected
    assert is_listed(values, domain).numpy().tolist() == [True, True, False, False]
    unlisted = [b"x", b"x"] if domain.other else [b"moon", b""]
    assert gathered(values, domain).numpy().tolist() == [b"feed", b"search", *unlisted]


def test_text_of_sparse_and_dense_columns():
    sparse = tf.SparseTensor([[1, 0]], ["feed"], [3, 1])
    assert domain_text(tf.SparseTensor([[1, 0]], [7], [2, 1])).numpy().tolist() == [b"", b"7"]
    assert domain_text(sparse).numpy().tolist() == [b"", b"feed", b""]
    assert domain_text(tf.constant([["a"], ["b"]])).numpy().tolist() == [b"a", b"b"]
