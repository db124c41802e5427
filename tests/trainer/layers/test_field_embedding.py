import numpy as np
import pytest

from trainer.layers.field_embedding import FieldEmbedding
from transform.model_inputs import CategoricalInput, ModelInputs, NumericInput, SequenceInput

INPUTS = ModelInputs(
    categorical=(CategoricalInput("user", 5), CategoricalInput("item", 7)),
    numeric=(NumericInput("price"), NumericInput("age")),
    sequences=(SequenceInput("history", "item", 3),),
    target_item="item",
    domains=("all",),
    tasks=(),
)
FEATURES = {
    "user": np.asarray([3, 4]),
    "item": np.asarray([6, 3]),
    "price": np.asarray([0.5, -2.0], "float32"),
    "age": np.asarray([1.0, 0.0], "float32"),
    "history": np.asarray([[6, 4, 0], [0, 0, 0]]),
}


def test_fields_sequences_and_target_share_one_table():
    layer = FieldEmbedding(INPUTS, 4)
    embedded = layer(FEATURES)
    layer.intercepts.assign(np.ones((2, 4)))
    embedded = layer(FEATURES)
    table = np.asarray(layer.table)
    assert table.shape == (12, 4)
    fields = np.asarray(embedded.fields)
    assert fields.shape == (2, 4, 4)
    np.testing.assert_array_equal(fields[:, 0], table[[3, 4]])
    np.testing.assert_array_equal(fields[:, 1], table[[5 + 6, 5 + 3]])
    slopes = np.asarray(layer.slopes)
    np.testing.assert_allclose(fields[0, 2], 0.5 * slopes[0] + 1, rtol=1e-6)
    np.testing.assert_allclose(fields[1, 2], -2.0 * slopes[0] + 1, rtol=1e-6)
    np.testing.assert_allclose(fields[0, 3], slopes[1] + 1, rtol=1e-6)
    np.testing.assert_array_equal(embedded.field_ids, [[3, 6], [4, 3]])
    np.testing.assert_array_equal(embedded.target, fields[:, 1])
    np.testing.assert_array_equal(embedded.sequences["history"][0, :2], table[[11, 9]])
    np.testing.assert_array_equal(embedded.masks["history"], [[True, True, False], [False] * 3])


@pytest.mark.parametrize("identifier", [-1, 5, 11, 10**9])
def test_an_id_out_of_range_is_out_of_vocabulary(identifier):
    layer = FieldEmbedding(INPUTS, 4)
    features = {**FEATURES, "user": np.asarray([identifier, 2])}
    fields = np.asarray(layer(features).fields)
    np.testing.assert_array_equal(fields[0, 0], fields[1, 0])
    np.testing.assert_array_equal(fields[0, 0], np.asarray(layer.table)[2])


def test_refuses_inputs_without_fields():
    with pytest.raises(ValueError, match="at least one categorical or numeric feature"):
        FieldEmbedding(ModelInputs((), (), (), None, ("all",), ()), 4)
