"""Averages of rows against the average of the whole table, at a cost that follows the rows."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.optimization.lazy_adam import LazyAdam
from mtlx.trainer.optimization.row_average import averaged
from mtlx.trainer.optimization.weight_average import WeightAverage
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

#: Also of the table of the whole training, which nothing else in it is as long as.
ROWS = 1009


class OneTable(keras.Model):
    """A table, and a weight that is none."""

    def __init__(self):
        super().__init__()
        self.table = self.add_weight(shape=(20, 2), initializer="normal", name="table")
        self.weight = self.add_weight(shape=(3,), initializer="normal", name="weight")


def _gradient(random, step):
    """Slices of rows that come and go; the last row is in none. Once of the whole table."""
    if step == 33:
        return tf.constant(random.normal(size=(20, 2)), tf.float32)
    ids = (random.integers(0, 6, 5) + step // 3) % 19
    values = tf.constant(random.normal(size=(5, 2)), tf.float32)
    return tf.IndexedSlices(values, tf.constant(ids), tf.constant([20, 2]))


@pytest.mark.parametrize("momentum", [0.4, 0.95])
def test_rows_have_the_average_of_the_whole_table_at_every_step(momentum):
    keras.utils.set_random_seed(1)
    model, optimizer, random = OneTable(), LazyAdam(0.1), np.random.default_rng(2)
    optimizer.build(model.trainable_variables)
    average = WeightAverage(model, momentum, [model.table])
    optimizer.settle(model.table, average.rows[id(model.table)])

    @tf.function
    def step(gradient):
        optimizer.apply([gradient, tf.ones(3)], model.trainable_variables)
        average.update()

    expected, since = np.array(model.table, float), 0
    for number in range(1, 60):
        if number == 45:
            # As at a method's new stage, behind which weights are others by any means.
            model.table.assign(model.table + 1.0)
            average.restart()
            expected, since = np.array(model.table, float), number - 1
        step(_gradient(random, number))
        kept = min(momentum, (number - since) / (number - since + 9))
        expected = kept * expected + (1 - kept) * np.array(model.table)
        found = average.look_up(model.table, tf.reshape(tf.range(20), (4, 5)))
        np.testing.assert_allclose(tf.reshape(found, (20, 2)), expected, rtol=1e-5, atol=1e-7)
    assert np.abs(expected - model.table)[:19].max() > 0.01
    np.testing.assert_array_equal(average.rows[id(model.table)].whole(), tf.reshape(found, (20, 2)))
    weight = tf.constant([2, 0])
    values = average.look_up(model.weight, weight)
    np.testing.assert_array_equal(values, tf.gather(model.weight.value, weight))


@pytest.mark.parametrize("momentum", [0.3, 0.99, 0.9999])
def test_a_row_that_was_long_away_has_kept_the_product_of_the_momenta(momentum):
    steps = np.arange(1, 20_001)
    logarithms = np.concatenate(
        [[0.0], np.cumsum(np.log(np.minimum(momentum, steps / (steps + 9))))]
    )
    before = np.array([0, 1, 7, 800, 900, 19_990, 20_000])
    for now in (1000, 20_000):
        chosen = before[before <= now]
        zeros, ones = np.zeros((len(chosen), 1), "float32"), np.ones((len(chosen), 1), "float32")
        share = averaged(zeros, ones, chosen.astype("int32"), now, momentum)
        expected = np.exp(logarithms[now] - logarithms[chosen])
        np.testing.assert_allclose(share[:, 0], expected, rtol=1e-6, atol=1e-38)
    # What stands there of a row that was never written is not read.
    assert averaged(zeros[:1], ones[:1], np.array([-1]), 0, momentum).numpy() == 0.0


@pytest.fixture(scope="module")
def trained():
    """An averaged training and, of the same weights, the average of whole tables."""
    keras.utils.set_random_seed(1)
    task = TaskSpec("click", "click")
    fields = CategoricalInput("user", 9), CategoricalInput("item", ROWS - 9)
    inputs = ModelInputs(fields, (), (), None, ("all",), (task,))
    model = ARRANGEMENTS.get("joint")(
        inputs, ModelSettings(network="shared_bottom", sequence_encoder="none", embedding_size=4)
    )
    settings = TrainingSettings.read(
        {
            **{"optimizer": "lazy_adam", "average": 0.8, "learning_rate": 0.05, "batch_size": 32},
            **{
                "clip_norm": 0.5,
                "l2": 0.01,
                "batch_parts": 2,
                "embeddings": {"learning_rate": 0.1},
            },
        }
    )
    step = OrdinaryStep(model, (task,), settings, tf.distribute.get_strategy())
    random = np.random.default_rng(3)
    batches = [
        {
            "user": tf.constant(random.integers(0, 9, 32)),
            "item": tf.constant(random.integers(40 * part, 40 * part + 60, 32)),
            "domain_id": tf.zeros(32, tf.int64),
            "click": tf.constant(random.integers(0, 2, 32)),
        }
        for part in range(4)
    ]
    step.prepare(batches[0])
    whole = WeightAverage(model, 0.8)
    for number in range(24):
        step(batches[number // 3 % 4])
        whole.update()
    return model, step, whole, batches


def test_a_training_has_the_average_of_its_whole_tables(trained):
    model, step, whole, batches = trained
    table = model.embeddings[0].table
    with whole.in_place():
        expected = [np.array(variable) for variable in model.variables]
        outputs = model(batches[2], training=False)["logits"]
    with step.average.in_place(), step.average.looked_up(model.embeddings):
        found = [np.array(variable) for variable in model.variables]
        np.testing.assert_allclose(
            model(batches[2], training=False)["logits"], outputs, rtol=1e-4, atol=1e-5
        )
    after = model(batches[2], training=False)["logits"]
    assert np.abs(after - outputs).max() > 0.01
    for variable, one, other in zip(model.variables, found, expected, strict=True):
        if variable is table:
            one = step.average.rows[id(table)].whole()
            assert np.abs(one - np.array(table)).max() > 0.01
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_a_step_reads_no_whole_table(trained):
    _, step, _, batches = trained
    graph = step._run._of_any_rows.get_concrete_function(batches[0]).graph
    shapes = [
        tuple(one.shape) for op in graph.get_operations() for one in op.outputs if one.shape.rank
    ]
    assert len(shapes) > 100 and not [shape for shape in shapes if ROWS in shape]
