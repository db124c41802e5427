"""Several tables in one: side by side, and each as if it were alone."""

import keras
import numpy as np

from mtlx.trainer.layers.field_embedding import FieldEmbedding
from mtlx.trainer.model.several_tables import rows_as_tables, tables_as_rows
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    SequenceInput,
    SequencePart,
    TaskSpec,
)

INPUTS = ModelInputs(
    (CategoricalInput("item", 7), CategoricalInput("category", 5)),
    (NumericInput("price"),),
    (SequenceInput("clicks", "item", 3, (SequencePart("clicks.category", "category"),)),),
    "item",
    ("all",),
    (TaskSpec("click", "click"),),
)
FEATURES = {
    "item": np.asarray([3, 6]),
    "category": np.asarray([4, 3]),
    "price": np.asarray([0.5, -1.0], "float32"),
    "clicks": np.asarray([[4, 5, 0], [6, 0, 0]]),
    "clicks.category": np.asarray([[3, 4, 0], [3, 0, 0]]),
}


def test_each_table_is_as_one_alone():
    keras.utils.set_random_seed(1)
    both = FieldEmbedding(INPUTS, 4, tables=2)
    found = both(FEATURES)
    rows = tables_as_rows(found, 2)
    for table in range(2):
        alone = FieldEmbedding(INPUTS, 4)
        alone(FEATURES)
        own = slice(4 * table, 4 * table + 4)
        for ours, theirs in zip(alone.weights, both.weights, strict=True):
            ours.assign(theirs if ours.name == "maps" else np.asarray(theirs)[..., own])
        expected = alone(FEATURES)
        pairs = [
            (rows.fields, expected.fields),
            (rows.sequences["clicks"], expected.sequences["clicks"]),
            (rows.target, expected.target),
        ]
        for ours, theirs in pairs:
            np.testing.assert_allclose(np.asarray(ours)[table::2], theirs, rtol=1e-5, atol=1e-6)
        masks = np.asarray(rows.masks["clicks"])[table::2]
        np.testing.assert_array_equal(masks, expected.masks["clicks"])
    np.testing.assert_array_equal(rows.field_ids, found.field_ids)


def test_rows_of_tables_are_put_together_again():
    fields = np.arange(24, dtype="float32").reshape(4, 3, 2)  # (B·n, F, k)
    told = {"attention": [(None, np.arange(12).reshape(4, 3))]}
    losses = {"losses/next": np.asarray([1.0, 3.0, 5.0, 6.0], "float32")}
    last, together, means = rows_as_tables(told, fields, losses, 2)
    np.testing.assert_array_equal(together, fields.reshape(2, 2, 3, 2))
    np.testing.assert_array_equal(last["attention"][0][1], [[3, 4, 5], [9, 10, 11]])
    np.testing.assert_array_equal(means["losses/next"], [2.0, 5.5])
    assert rows_as_tables(told, fields, losses, 1) == (told, fields, losses)
