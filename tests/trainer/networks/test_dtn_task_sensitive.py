"""What DTN's task-sensitive network is for, where it is known which modules hold what a task needs.

The modules' outputs are given: field g is what group g's module puts out, a point on a circle. A
conversion hangs on the point of the click's module, which neither its own module nor the shared
one holds.
"""

import keras
import numpy as np
import pytest

from benchmarks.planted_tasks import Given, Training
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

TASKS = (
    TaskSpec("click", "click"),
    TaskSpec("cart", "cart", "click", "click"),
    TaskSpec("buy", "buy", "cart", "click"),
)
FIELDS = tuple(CategoricalInput(name, 3) for name in ("user", "item"))
ROWS = 20_000


class GivenModules(keras.layers.Layer):
    """Outputs ``(B, groups, units)`` of one kind of module in all groups."""

    factors = 1.0

    def call(self, fields, field_ids):
        return fields * self.factors


def _network(tasks, **options):
    inputs = ModelInputs(FIELDS, (), (), None, ("all",), tasks)
    kinds = {"interactions": [{"name": "senet"}], "units": 2, "tower_hidden": [16]}
    network = NETWORKS.build("dtn", {**kinds, **options}, inputs)
    network.modules = [GivenModules()]
    return network


def _rows(rows, seed, tasks, rate, strength, scaled):
    """Features and labels; probabilities of the last task, which happens on clicks."""
    random = np.random.default_rng(seed)
    angles = random.uniform(0, 2 * np.pi, (rows, len(tasks) + 1))
    if len(tasks) == 3:
        # The cart's module holds what the shared one does: how the gate mixes them tells nothing.
        angles[:, 1] = angles[:, -1]
    fields = np.sqrt(2) * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    if len(tasks) == 3:
        # The click's module has channels of its own, so that a tower can tell it from the others.
        fields = np.concatenate([fields, np.zeros_like(fields)], axis=-1)
        fields[:, 1:] = np.roll(fields[:, 1:], 2, axis=-1)
    shared = angles[:, -1]
    clicked = 1 / (1 + np.exp(-np.log(rate / (1 - rate)) - 2 * np.cos(2 * shared)))
    factor = clicked / clicked.mean() if scaled else 1.0
    bought = 1 / (1 + np.exp(-strength * factor * np.cos(angles[:, 0])))
    labels = {"click": random.random(rows) < clicked}
    if len(tasks) == 3:
        carted = 1 / (1 + np.exp(-2 * np.cos(angles[:, 1])))
        labels["cart"] = labels["click"] & (random.random(rows) < carted)
    labels["buy"] = labels["click"] & (random.random(rows) < bought)
    columns = {name: values.astype("int64") for name, values in labels.items()}
    columns["fields"] = fields.astype("float32")
    columns["domain_id"] = np.zeros(rows, "int64")
    return columns, bought


#: Of networks of other options each: the next training of such a one needs no graph of its own.
_TRAININGS = {}


def _training(tasks, columns, seed, options):
    keras.utils.set_random_seed(seed)
    model = Given(_network(tasks, **options))
    key = (tasks, tuple(options.items()))
    if key not in _TRAININGS:
        _TRAININGS[key] = Training(model, tasks, columns, seed=seed, learning_rate=0.01)
    else:
        _TRAININGS[key].start_again(model, columns, seed)
    return _TRAININGS[key]


def _learnt(tasks, rate, seed, *, epochs=6, strength=2.0, scaled=False, **options):
    """AUC of the last task on clicks after training, and the best possible one."""
    columns, _ = _rows(ROWS, seed, tasks, rate, strength, scaled)
    training = _training(tasks, columns, seed, options)
    training.epochs(epochs)
    test, truth = _rows(int(15_000 / rate), 10**6, tasks, rate, strength, scaled)
    clicks = test["click"] == 1
    test = {name: values[clicks] for name, values in test.items()}
    scores = training.predict(test)["logits"][:, -1]
    found = area_under_curve(test["buy"], scores), area_under_curve(test["buy"], truth[clicks])
    print(options, rate, seed, "AUC {:.3f} of {:.3f}".format(*found))
    return found


PAIR = (TASKS[0], TaskSpec("buy", "buy", "click", "click"))


@pytest.mark.parametrize(("rate", "seed"), [(0.05, 1), (0.3, 2)])
def test_a_conversion_reads_what_the_clicks_modules_hold(rate, seed):
    """The factor makes it slower: at 5 % of clicks the modules come in at a twentieth."""
    for setting, far in (("full", 0.8), ("unscaled", 0.95)):
        found, best = _learnt(PAIR, rate, seed, task_sensitive=setting)
        assert found > 0.5 + far * (best - 0.5)


def test_without_the_clicks_modules_a_conversion_is_guessed():
    found, _ = _learnt(PAIR, 0.3, 1, task_sensitive="off", epochs=2)
    assert abs(found - 0.5) < 0.03


@pytest.mark.parametrize("seed", [1, 2])
def test_the_factor_says_how_far_the_modules_count(seed):
    """Conversions for which what the click's module holds counts as much as a click is likely."""
    options = {"strength": 2.0, "scaled": True}
    full, best = _learnt(PAIR, 0.3, seed, task_sensitive="full", **options)
    unscaled, _ = _learnt(PAIR, 0.3, seed, task_sensitive="unscaled", **options)
    assert full > best - 0.009
    assert unscaled < best - 0.015


@pytest.mark.parametrize("seed", [1, 2])
def test_all_other_tasks_are_seen_where_the_preceding_one_does_not_hold_it(seed):
    found, best = _learnt(TASKS, 0.3, seed, task_sensitive="unscaled", other_tasks="all")
    assert found > 0.5 + 0.9 * (best - 0.5)
    found, _ = _learnt(TASKS, 0.3, seed, task_sensitive="unscaled", epochs=2)
    assert abs(found - 0.5) < 0.03


@pytest.mark.parametrize("task_sensitive", ["full", "unscaled"])
def test_the_factor_is_the_clicks_probability_and_nothing_else(task_sensitive):
    """Linear towers: a conversion's logit is a + p b, where a is its logit without M_u."""
    keras.utils.set_random_seed(1)
    random = np.random.RandomState(0)
    fields, zeros = random.randn(50, 3, 2).astype("float32"), np.zeros(50, "int64")
    network = _network(PAIR, task_sensitive=task_sensitive, tower_hidden=[])
    network(fields, zeros[:, None], zeros)
    bias, of_click = network.towers[0].output_layer.bias, np.zeros((2, 1), "float32")
    of_click[0] = 1.0

    def logits(shift):
        bias.assign(shift * of_click[: bias.shape[0]])
        return np.asarray(network(fields, zeros[:, None], zeros)["logits"]).T

    click, buy = logits(0.0)
    (_, never), (_, always) = logits(-50.0), logits(50.0)
    if task_sensitive == "unscaled":
        np.testing.assert_array_equal(never, always)
        return
    probability = 1 / (1 + np.exp(-click))
    np.testing.assert_allclose(buy, never + probability * (always - never), atol=1e-5)
    assert np.abs(always - never).max() > 0.1
    network.modules[0].factors = np.asarray([0.0, 1.0, 1.0], "float32")[:, None]
    np.testing.assert_allclose(logits(0.0)[1], never, atol=1e-5)
