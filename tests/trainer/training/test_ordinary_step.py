"""One step against the same step written in NumPy, for a model linear in its feature."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples import traced_once
from mtlx.trainer.layers.embedding.tables import Tables as Whole
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.contract.model_inputs import TaskSpec
from tests.trainer.small_members import FULL, SMALL

TASKS = (TaskSpec("ctr", "click"), TaskSpec("cvr", "buy", "ctr", "ctr"))
ROWS = 40
RATE = 0.5


class Linear(GradientModel):
    """One logistic regression per task."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2, use_bias=False)

    def call(self, features, training=False):
        logits = self.dense(features["x"])
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    return {
        "x": random.normal(size=(ROWS, 3)).astype("float32"),
        "click": random.integers(0, 2, ROWS),
        "buy": random.integers(0, 2, ROWS),
    }


def _step(batch, tasks=TASKS, **settings):
    """Takes one SGD step; returns weights before and after it, and the task losses."""
    keras.utils.set_random_seed(1)
    model = Linear()
    values = TrainingSettings.read({"optimizer": "sgd", "learning_rate": RATE, **settings})
    step = OrdinaryStep(model, tasks, values, tf.distribute.get_strategy())
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    step.prepare(tensors)
    before = np.array(model.dense.kernel)
    losses = step(tensors).numpy()
    return before, np.array(model.dense.kernel), losses


class Embedded(GradientModel):
    """A bias per item."""

    def __init__(self):
        super().__init__()
        self.table = self.add_weight(shape=(3, 2), initializer="zeros")

    def call(self, features, training=False):
        logits = keras.ops.take(self.table, features["item"], axis=0)
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


def test_adam_adds_up_the_gradients_of_an_id_before_it_squares_them(batch):
    """Adam's first step has the length of the rate, however often an id occurs in the batch."""
    model = Embedded()
    values = TrainingSettings.read({"learning_rate": 0.01})
    step = OrdinaryStep(model, TASKS, values, tf.distribute.get_strategy())
    item = np.zeros(ROWS, "int64")
    item[0] = 2
    tensors = {**batch, "item": item, "click": np.ones(ROWS, int), "buy": np.ones(ROWS, int)}
    tensors = {name: tf.constant(array) for name, array in tensors.items()}
    step.prepare(tensors)
    step(tensors)
    np.testing.assert_allclose(np.array(model.table)[[0, 2]], 0.01, rtol=1e-3)
    np.testing.assert_array_equal(np.array(model.table)[1], 0)


def _expected(weights, batch):
    """Mean loss of each task over its population, and its gradient."""
    x, labels = batch["x"].astype(float), np.stack([batch["click"], batch["buy"]], 1)
    p = 1 / (1 + np.exp(-x @ weights))
    mask = np.stack([np.ones(ROWS), batch["click"]], 1)
    counts = np.maximum(mask.sum(0), 1)
    losses = -(labels * np.log(p) + (1 - labels) * np.log(1 - p)) * mask / counts
    return losses.sum(0), x.T @ ((p - labels) * mask / counts)


def test_graphs_change_where_they_would_without_a_stop(batch, monkeypatch):
    """The optimiser counts the updates; of a resumed training it knows the earlier ones."""
    monkeypatch.setattr(traced_once, "WHOLE_AFTER", 3)
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    graphs = []
    for earlier in (0, 3):
        model, rows = Linear(), []
        settings = TrainingSettings(optimizer="sgd", batch_size=ROWS)
        step = OrdinaryStep(model, TASKS, settings, tf.distribute.get_strategy())
        model.call = lambda features, training=False, call=model.call, rows=rows: (
            rows.append(features["x"].shape[0]) or call(features, training)
        )
        step.prepare(tensors)
        rows.clear()
        step.optimizer.iterations.assign(earlier)
        for _ in range(4 - earlier):
            step(tensors)
        graphs.append(rows)
    assert graphs == [[None, ROWS], [ROWS]]


def test_updates_are_counted_where_machines_hold_copies():
    """As the strategy of several machines holds them, even for one device."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        step = OrdinaryStep(Linear(), TASKS, TrainingSettings(), strategy)
    step.optimizer.iterations.assign(3)
    assert step.updates() == 3


def test_step_follows_each_task_on_its_population(batch):
    before, after, losses = _step(batch)
    expected, gradient = _expected(before, batch)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(after, before - RATE * gradient, atol=1e-6)


@pytest.mark.parametrize("parts", [1, 3])
def test_labels_that_are_not_known_pull_at_nothing(batch, parts):
    """The last rows' purchases are not known; their clicks are learnt."""
    late = dataclasses.replace(TASKS[1], matures_after=2)
    known = 25
    marked = {**batch, "buy": np.where(np.arange(ROWS) < known, batch["buy"], -1)}
    before, after, losses = _step(marked, (TASKS[0], late), batch_parts=parts)
    expected, gradient = _expected(before, batch)
    # The population is what makes a row count: a click that is taken away takes the row out.
    without = {**batch, "click": np.where(np.arange(ROWS) < known, batch["click"], 0)}
    of_known, gradient_of_known = _expected(before, without)
    np.testing.assert_allclose(losses, [expected[0], of_known[1]], rtol=1e-5)
    wanted = np.stack([gradient[:, 0], gradient_of_known[:, 1]], 1)
    np.testing.assert_allclose(after, before - RATE * wanted, atol=1e-6)
    assert np.abs(gradient[:, 1] - wanted[:, 1]).max() > 0.01


def test_task_weights_scale_gradients_and_leave_losses(batch):
    before, after, losses = _step(batch, task_weights={"cvr": 3.0, "ctr": 0.0})
    expected, gradient = _expected(before, batch)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_array_equal(after[:, 0], before[:, 0])
    np.testing.assert_allclose(after[:, 1], before[:, 1] - RATE * 3 * gradient[:, 1], atol=1e-6)


def test_l2_adds_the_weights_to_the_gradient_and_clipping_limits_the_norm(batch):
    before, after, _ = _step(batch, l2=0.3, clip_norm=0.05)
    gradient = _expected(before, batch)[1] + 0.3 * before
    gradient *= 0.05 / np.linalg.norm(gradient)
    np.testing.assert_allclose(after, before - RATE * gradient, atol=1e-6)
    assert np.linalg.norm((after - before) / RATE) == pytest.approx(0.05, rel=1e-4)


def test_terms_of_the_loss_are_added(batch):
    term = {"name": "binary_cross_entropy"}
    once, twice = _step(batch), _step(batch, loss=[term, term])
    np.testing.assert_allclose(twice[2], 2 * once[2], rtol=1e-6)
    np.testing.assert_allclose(twice[1] - twice[0], 2 * (once[1] - once[0]), atol=1e-6)


def test_a_batch_without_population_leaves_its_task_alone(batch):
    batch["click"][:] = 0
    before, after, losses = _step(batch)
    assert losses[1] == 0 and np.isfinite(losses).all()
    np.testing.assert_array_equal(after[:, 1], before[:, 1])
    assert (after[:, 0] != before[:, 0]).all()


class Joint(Linear):
    """ESMM on top of the logistic regressions."""

    def call(self, features, training=False):
        conditionals = super().call(features)["probabilities"]
        joint = conditionals * keras.ops.stack(
            [keras.ops.ones_like(conditionals[:, 0]), conditionals[:, 0]], axis=1
        )
        return {"probabilities": conditionals, "joint_probabilities": joint}


def test_a_loss_over_all_rows_counts_where_a_population_is_empty(batch):
    """Impressions without a click are the joint probability's negatives."""
    batch["click"][:] = 0
    model = Joint()
    values = TrainingSettings.read({"loss": [{"name": "entire_space_cross_entropy"}]})
    step = OrdinaryStep(model, TASKS, values, tf.distribute.get_strategy())
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    step.prepare(tensors)
    click, buy = 1 / (1 + np.exp(-batch["x"].astype(float) @ np.array(model.dense.kernel))).T
    expected = [-np.log(1 - click).mean(), -np.log(1 - click * buy).mean()]
    np.testing.assert_allclose(step(tensors), expected, rtol=1e-4)


def test_decoupled_weight_decay(batch):
    plain, decayed = _step(batch), _step(batch, weight_decay=0.1)
    # Decay by rate · decay before the step: the gradient is that of the weights before.
    expected = plain[1] - RATE * 0.1 * plain[0]
    np.testing.assert_allclose(decayed[1], expected, atol=1e-6)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_a_step_in_parts_is_the_step_of_the_whole_batch(batch, parts):
    """Of a task with a population too, whose rows the parts have different numbers of."""
    settings = {"l2": 0.3, "clip_norm": 0.2, "task_weights": {"cvr": 3.0}}
    whole, cut = _step(batch, **settings), _step(batch, **settings, batch_parts=parts)
    np.testing.assert_allclose(cut[1], whole[1], atol=1e-6)
    np.testing.assert_allclose(cut[2], whole[2], rtol=1e-5)
    # The mean over parts of each part's own mean is another step.
    sums = []
    for part in range(parts):
        own = slice(ROWS * part // parts, ROWS * (part + 1) // parts)
        rows = {name: values[own] for name, values in batch.items()}
        x, labels = rows["x"].astype(float), np.stack([rows["click"], rows["buy"]], 1)
        p = 1 / (1 + np.exp(-x @ whole[0]))
        mask = np.stack([np.ones(len(x)), rows["click"]], 1)
        sums.append(x.T @ ((p - labels) * mask / np.maximum(mask.sum(0), 1)))
    _, gradient = _expected(whole[0], batch)
    assert np.abs(np.mean(sums, axis=0) - gradient)[:, 1].max() > 1e-3


class Noting(Linear):
    """Notes the rows of every pass through its logits, forwards and backwards, as it happens."""

    def __init__(self):
        super().__init__()
        self.passes = []

    def call(self, features, training=False):
        logits = self._noted(super().call(features)["logits"])
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}

    def _noted(self, logits):
        @tf.custom_gradient
        def same(values):
            return self._note("forward", values), lambda above: self._note("backward", above)

        return same(logits)

    def _note(self, name, values):
        def function(array):
            self.passes.append((name, len(array)))
            return array

        # What has no state is run in any order that its inputs allow.
        noted = tf.numpy_function(function, [values], tf.float32, stateful=False)
        return tf.ensure_shape(noted, [None, 2])


@pytest.mark.parametrize("parts", [1, 4])
def test_one_part_is_done_before_the_next_one_begins(batch, parts):
    """So that the activations of one part alone are in memory."""
    model = Noting()
    values = TrainingSettings.read({"batch_size": ROWS, "batch_parts": parts})
    step = OrdinaryStep(model, TASKS, values, tf.distribute.get_strategy())
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    step.prepare(tensors)
    model.passes.clear()
    step(tensors)
    assert model.passes == [("forward", ROWS // parts), ("backward", ROWS // parts)] * parts


class Tables(GradientModel):
    """Biases per item from an embedding stage's table, and a dense weight."""

    def __init__(self):
        super().__init__()
        self.lookup = Lookup()
        self.dense = keras.layers.Dense(2, use_bias=False, kernel_initializer="ones")

    def call(self, features, training=False):
        logits = self.lookup(features["item"]) + self.dense(features["x"])
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}

    @property
    def embeddings(self):
        return [self.lookup]


class Lookup(keras.layers.Layer):
    """As `FieldEmbedding` has its table."""

    rows = 3

    def __init__(self):
        super().__init__()
        self.tables_made_by = Whole()
        self.look_up = self.tables_made_by.look_up
        self.table = self.add_weight(shape=(3, 2), initializer="ones", name="table")

    def call(self, item):
        return self.look_up(self.table, item)


def _table_step(batch, optimizer="sgd", **settings):
    """How far the table's rows and the dense weights went in one step."""
    model = Tables()
    values = TrainingSettings.read({"optimizer": optimizer, "learning_rate": RATE, **settings})
    step = OrdinaryStep(model, TASKS, values, tf.distribute.get_strategy())
    item = np.arange(ROWS) % 2  # Nothing is of the third row.
    tensors = {name: tf.constant(array) for name, array in {**batch, "item": item}.items()}
    step.prepare(tensors)
    step(tensors)
    return np.array(model.embeddings[0].table) - 1, np.array(model.dense.kernel) - 1


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lazy_adam"])
def test_tables_have_a_rate_of_their_own(batch, optimizer):
    table, dense = _table_step(batch, optimizer)
    slow, same = _table_step(batch, optimizer, embeddings={"learning_rate": RATE / 5})
    np.testing.assert_allclose(slow, table / 5, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(same, dense, rtol=1e-6)
    still, same = _table_step(batch, optimizer, embeddings={"learning_rate": 0})
    np.testing.assert_array_equal(still, 0)
    np.testing.assert_allclose(same, dense, rtol=1e-6)
    assert np.abs(table[:2]).min() > 0 and np.abs(dense).min() > 0


@pytest.mark.parametrize(("arrangement", "tables"), [("joint", 1), ("mtl", 2)])
def test_a_ranking_model_s_tables_are_those_of_its_ids(arrangement, tables):
    """At the rate 0 they are all that stays; the model per domain has one for each."""
    settings = ModelSettings(
        network="shared_bottom", options=SMALL["shared_bottom"], embedding_size=4
    )
    model = ARRANGEMENTS.get(arrangement)(FULL, settings)
    values = TrainingSettings.read({"embeddings": {"learning_rate": 0}})
    step = OrdinaryStep(model, FULL.tasks, values, tf.distribute.get_strategy())
    random = np.random.default_rng(0)
    rows = {field.name: random.integers(1, 12, 64) for field in FULL.categorical}
    rows |= {field.name: random.normal(size=64).astype("float32") for field in FULL.numeric}
    rows |= {s.name: random.integers(1, 12, (64, s.max_length)) for s in FULL.sequences}
    rows |= {task.label: random.integers(0, 2, 64) for task in FULL.tasks}
    tensors = {**rows, "domain_id": random.integers(0, 2, 64)}
    tensors = {name: tf.constant(array) for name, array in tensors.items()}
    step.prepare(tensors)
    before = [np.array(weight) for weight in model.trainable_variables]
    step(tensors)
    still = [
        weight.name
        for old, weight in zip(before, model.trainable_variables, strict=True)
        if np.array_equal(old, weight)
    ]
    assert still == ["table"] * tables


def test_tables_have_a_regularisation_of_their_own(batch):
    """All weights start at 1: l2 and decay both take rate times coefficient away."""
    table, dense = _table_step(batch)
    for settings, of_table, of_dense in (
        ({"embeddings": {"l2": 0.2}}, 0.2, 0),
        ({"l2": 0.3, "embeddings": {"l2": 0}}, 0, 0.3),
        ({"l2": 0.3}, 0.3, 0.3),
        ({"embeddings": {"weight_decay": 0.2}}, 0.2, 0),
        ({"weight_decay": 0.3, "embeddings": {"weight_decay": 0}}, 0, 0.3),
        ({"weight_decay": 0.3, "embeddings": {"learning_rate": RATE}}, 0.3, 0.3),
    ):
        moved = _table_step(batch, **settings)
        np.testing.assert_allclose(moved[0], table - RATE * of_table, atol=1e-6)
        np.testing.assert_allclose(moved[1], dense - RATE * of_dense, atol=1e-6)


def test_lazy_adam_gives_l2_to_the_rows_of_the_batch_alone(batch):
    """A gradient in slices, from three parts of the batch: rows of no part stay."""
    settings = {"embeddings": {"l2": 100.0}, "batch_parts": 3}
    table, _ = _table_step(batch, "lazy_adam", **settings)
    np.testing.assert_allclose(table[:2], -RATE, rtol=1e-3)  # Adam's first step, downwards
    np.testing.assert_array_equal(table[2], 0)
