"""A user's features beside many items: what is looked up and multiplied once, by the graph."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.layers.shared_rows import for_all_rows, shared_names
from mtlx.trainer.model.model_features import two_empty_rows
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import ModelInputs, NumericInput, SequenceInput
from tests.trainer.small_members import CATEGORICAL, SMALL, TREE

USER = ("user", "city", "clicks", "buys", "domain_id")
#: Rows of the joint table, and places of a sequence and of both behind each other.
TABLE, LONGEST, BOTH = 36, 11, 20
INPUTS = ModelInputs(
    CATEGORICAL,
    (NumericInput("price"),),
    (SequenceInput("clicks", "item", LONGEST), SequenceInput("buys", "item", BOTH - LONGEST)),
    "item",
    ("feed", "search"),
    TREE,
)


def _graph(encoder):
    keras.utils.set_random_seed(1)
    options = SMALL.get(encoder, {})
    settings = ModelSettings(
        network="single_task", embedding_size=4, sequence_encoder=encoder, sequence_options=options
    )
    model = RankingModel(INPUTS, settings)
    specs = {
        name: tf.TensorSpec([1 if name in USER else None, *values.shape[1:]], values.dtype)
        for name, values in two_empty_rows(INPUTS).items()
    }
    traced = tf.function(lambda batch: model(batch, training=False), autograph=False)
    return traced.get_concrete_function(specs).graph


def _shapes(graph, *kinds):
    """Shapes of what operations give, by the shapes of what they read."""
    return [
        ([tuple(given.shape) for given in operation.inputs], tuple(operation.outputs[0].shape))
        for operation in graph.get_operations()
        if operation.type in kinds
    ]


@pytest.mark.parametrize("encoder", ["mean_pooling", "bst"])
def test_the_users_values_are_looked_up_once(encoder):
    """Also where the encoder has to see them beside every item: then what was found is repeated."""
    looked_up = [
        found
        for (table, *_), found in _shapes(_graph(encoder), "GatherV2", "ResourceGather")
        if table in ((TABLE, 4), ())
    ]
    # User, city and both sequences; the item alone.
    assert sorted(looked_up, key=str) == [(1, 2 + BOTH, 4), (None, 1, 4)]


@pytest.mark.parametrize("encoder", ["dmt", "tim", "atrank", "dien", "din"])
def test_no_product_reads_a_sequence_of_every_item(encoder):
    """Keys and values, self-attention, what the GRUs make of behaviours: of one row. DIN's, of the
    sequences of one row, are a layer that reads targets.
    """
    products = _shapes(_graph(encoder), "MatMul", "BatchMatMulV2", "Einsum")
    first = [given[0] for given, _ in products if {LONGEST, BOTH} & set(given[0][1:-1])]
    assert [shape for shape in first if shape[0] is not None]
    assert not [shape for shape in first if shape[0] is None]


def test_what_stands_for_all_rows():
    one, many = tf.ones([1, 2]), tf.ones([3, 2])
    assert shared_names({"a": one, "b": one}) == frozenset()
    assert shared_names({"a": one, "b": many}) == {"a"}
    found = for_all_rows({"a": tf.constant([[1.0, 2.0]]), "b": many})
    np.testing.assert_array_equal(found["a"], [[1, 2]] * 3)
