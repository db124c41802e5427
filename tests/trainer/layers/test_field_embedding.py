import numpy as np
import pytest

from mtlx.trainer.layers.field_embedding import FieldEmbedding
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    SequencePart,
)

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


def _several(*sequences, target="item"):
    fields = (("item", 7), ("category", 5), ("brand", 6))
    categorical = tuple(CategoricalInput(*field) for field in fields)
    return ModelInputs(categorical, (), sequences, target, ("all",), ())


def test_numbers_of_values_take_the_place_of_ids_where_they_are_asked_for():
    plain, layer = FieldEmbedding(INPUTS, 4), FieldEmbedding(INPUTS, 4)
    layer.numbered = True
    ids = np.asarray(plain(FEATURES).field_ids)
    assert plain.numbers is None
    np.testing.assert_array_equal(layer(FEATURES).field_ids, ids)  # as long as nothing moves them
    layer.numbers.assign(np.arange(layer.rows) + 100)
    offsets = layer.columns.offsets[: len(INPUTS.categorical)]
    np.testing.assert_array_equal(layer(FEATURES).field_ids, ids + offsets + 100)
    assert layer.numbers.dtype == "int64" and not layer.numbers.trainable


def test_a_behaviour_of_several_fields_and_its_target_are_joined_alike():
    """Against NumPy, a position and a field at a time."""
    clicks = SequenceInput("clicks", "item", 2, (SequencePart("kinds", "category"),))
    inputs = _several(clicks, SequenceInput("buys", "item", 3), SequenceInput("brands", "brand", 1))
    features = {
        "item": np.asarray([6, 3]),
        "category": np.asarray([3, 4]),
        "brand": np.asarray([5, 3]),
        "clicks": np.asarray([[6, 4], [1, 0]]),
        "kinds": np.asarray([[3, 1], [4, 0]]),
        "buys": np.asarray([[5, 0, 0], [3, 4, 5]]),
        "brands": np.asarray([[4], [0]]),
    }
    layer = FieldEmbedding(inputs, 4)
    layer(features)
    maps = np.random.RandomState(1).randn(2, 4, 4)
    layer.maps.assign(maps)
    embedded = layer(features)
    table, first = np.asarray(layer.table, "float64"), {"item": 0, "category": 7, "brand": 12}
    # The maps' order: the fields as the behaviours name them. Brands stand for themselves.
    kernel = {"item": maps[0], "category": maps[1], "brand": np.eye(4)}

    def vector(field, identifier):
        return table[first[field] + identifier] @ kernel[field]

    for row in range(2):
        target = vector("item", features["item"][row])
        target = target + vector("category", features["category"][row])
        np.testing.assert_allclose(embedded.target[row], target, atol=1e-6)
        for place in range(2):
            expected = vector("item", features["clicks"][row, place])
            expected = expected + vector("category", features["kinds"][row, place])
            np.testing.assert_allclose(
                embedded.sequences["clicks"][row, place], expected, atol=1e-6
            )
        for name, field in (("buys", "item"), ("brands", "brand")):
            for place, identifier in enumerate(features[name][row]):
                np.testing.assert_allclose(
                    embedded.sequences[name][row, place], vector(field, identifier), atol=1e-6
                )
    # The fields themselves, which interactions read, are as they were.
    np.testing.assert_array_equal(embedded.fields[0], table[[6, 7 + 3, 12 + 5]].astype("float32"))
    # A behaviour whose item is missing is one.
    np.testing.assert_array_equal(embedded.masks["clicks"], [[True, True], [True, False]])
    assert list(embedded.sequences) == ["clicks", "buys", "brands"]


def test_maps_start_orthogonal_and_exist_for_several_fields_alone():
    clicks = SequenceInput("clicks", "item", 2, (SequencePart("kinds", "category"),))
    layer = FieldEmbedding(_several(clicks), 4)
    layer.build({})
    for kernel in np.asarray(layer.maps):
        np.testing.assert_allclose(kernel @ kernel.T, np.eye(4), atol=1e-5)
    assert np.abs(layer.maps[0] - layer.maps[1]).max() > 0.1
    plain = FieldEmbedding(_several(SequenceInput("clicks", "item", 2)), 4)
    plain.build({})
    assert [weight.name for weight in plain.weights] == ["table"]


def test_a_target_that_no_behaviour_has_stays_as_it_is():
    shops = SequenceInput("shops", "brand", 1, (SequencePart("kinds", "category"),))
    layer = FieldEmbedding(_several(shops), 4)
    features = {name: np.asarray([3]) for name in ("item", "category", "brand")}
    embedded = layer({**features, "shops": np.asarray([[3]]), "kinds": np.asarray([[3]])})
    np.testing.assert_array_equal(embedded.target, embedded.fields[:, 0])


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
