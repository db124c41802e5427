"""LazyAdam against NumPy and against Adam."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.optimization.lazy_adam import LazyAdam, sum_of_ids
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    NumericInput,
    TaskSpec,
)

TASKS = (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click", "click"))


def _slices(ids, values, rows=6):
    return tf.IndexedSlices(tf.constant(values), tf.constant(ids, tf.int64), tf.constant([rows, 2]))


def test_slices_of_one_id_are_added_up():
    summed = sum_of_ids(_slices([4, 1, 4], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert summed.indices.numpy().tolist() == [4, 1]
    assert summed.values.numpy().tolist() == [[6.0, 8.0], [3.0, 4.0]]


def test_follows_its_equations_and_leaves_other_rows_alone():
    random = np.random.RandomState(0)
    table = keras.Variable(random.randn(6, 2).astype("float32"))
    optimizer = LazyAdam(0.1)
    optimizer.build([table])
    weights = table.numpy().astype(float)
    first, second = np.zeros((6, 2)), np.zeros((6, 2))
    for step in range(1, 5):
        ids = random.randint(0, 5, 7)  # row 5 is never touched
        values = random.randn(7, 2).astype("float32")
        optimizer.apply([_slices(ids, values)], [table])
        for row in np.unique(ids):
            gradient = values[ids == row].sum(axis=0)
            first[row] = 0.9 * first[row] + 0.1 * gradient
            second[row] = 0.999 * second[row] + 0.001 * gradient**2
            rate = 0.1 * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            weights[row] -= rate * first[row] / (np.sqrt(second[row]) + 1e-7)
    np.testing.assert_allclose(table.numpy(), weights, rtol=1e-4, atol=1e-6)


def _trained(optimizer, arrangement="joint", **settings):
    """Weights before and after three steps on rows that hold few of the ids."""
    keras.utils.set_random_seed(1)
    inputs = ModelInputs(
        (CategoricalInput("user", 50), CategoricalInput("item", 30)),
        (NumericInput("price"),),
        (),
        "item",
        ("feed", "search"),
        TASKS,
    )
    model = ARRANGEMENTS.get(arrangement)(
        inputs, ModelSettings(network="shared_bottom", embedding_size=4, arrangement=arrangement)
    )
    training = TrainingSettings(optimizer=optimizer, **settings)
    step = OrdinaryStep(model, TASKS, training, tf.distribute.get_strategy())
    random = np.random.RandomState(0)
    batch = {
        "user": tf.constant(random.randint(3, 9, 64)),
        "item": tf.constant(random.randint(3, 9, 64)),
        "price": tf.constant(random.randn(64).astype("float32")),
        "domain_id": tf.constant(random.randint(0, 2, 64)),
        "click": tf.constant(random.randint(0, 2, 64)),
    }
    batch["buy"] = batch["click"] * random.randint(0, 2, 64)
    step.prepare(batch)
    before = [np.array(weight) for weight in model.trainable_variables]
    for _ in range(3):
        step(batch)
    names = [weight.name for weight in model.trainable_variables]
    after = [np.array(weight) for weight in model.trainable_variables]
    return names, before, after


@pytest.mark.parametrize("settings", [{}, {"l2": 0.1}, {"clip_norm": 0.01}])
def test_is_adam_on_rows_that_every_batch_touches(settings):
    """All else is Adam's as well; of the table, rows that no batch holds stay as they were."""
    names, before, lazy = _trained("lazy_adam", **settings)
    _, _, adam = _trained("adam", **settings)
    for name, start, one, other in zip(names, before, lazy, adam, strict=True):
        if name == "table":
            touched = (start != one).any(axis=1)
            assert 8 <= touched.sum() <= 12
            # What the gradients' norm is clipped by, and L2, differ by the untouched rows.
            np.testing.assert_allclose(one[touched], other[touched], rtol=2e-2, atol=2e-4)
        else:
            assert (start != one).any()
            np.testing.assert_allclose(one, other, rtol=2e-2, atol=2e-4)


@pytest.mark.parametrize(("optimizer", "of_table"), [("lazy_adam", 3), ("adam", 3), ("sgd", 1)])
def test_a_training_that_is_over_holds_no_table(optimizer, of_table, monkeypatch):
    """With an optimiser for dense weights alone; TensorFlow frees a variable with its handle."""
    handles, prepare = [], OrdinaryStep.prepare

    def prepared(self, batch):
        prepare(self, batch)
        handles.extend(
            weakref.ref(one.value.handle)
            for one in (*self._model.variables, *self.optimizers.variables)
            if "table" in one.path
        )

    monkeypatch.setattr(OrdinaryStep, "prepare", prepared)
    _trained(optimizer, embeddings={"learning_rate": 0.1})
    gc.collect()
    assert len(handles) == of_table and not [one for one in handles if one() is not None]


def test_trains_every_table_of_an_arrangement():
    names, before, after = _trained("lazy_adam", "mtl")
    tables = [i for i, name in enumerate(names) if name == "table"]
    assert len(tables) == 2
    assert all((before[i] != after[i]).any() for i in tables)


def test_tables_get_no_weight_decay():
    names, before, after = _trained("lazy_adam", weight_decay=0.1)
    table = names.index("table")
    assert (before[table] == after[table]).any(axis=1).sum() >= 60


def test_a_watched_table_knows_the_rows_that_a_step_has_changed():
    table, dense = (keras.Variable(np.ones((rows, 2), "float32")) for rows in (6, 4))
    optimizer = LazyAdam(0.1)
    optimizer.build([table, dense])
    watched, other = optimizer.watch(table), optimizer.watch(dense)
    assert watched.rows == 6 and watched.variables[0] is table
    before = [np.array(variable) for variable in watched.variables]
    gradient = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    optimizer.apply([_slices([4, 1, 4], gradient), tf.ones((4, 2))], [table, dense])
    rows = watched.take().tolist()
    assert rows == [1, 4] and watched.take().size == 0
    for variable, old in zip(watched.variables, before, strict=True):
        changed = np.flatnonzero((np.array(variable) != old).any(axis=1))
        assert changed.tolist() == rows
    # A gradient of the whole table changes all of it.
    assert other.take().tolist() == [0, 1, 2, 3]
