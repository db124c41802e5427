"""What TRM is for: a task's own weights of every number, by what the row holds.

The numbers are given and added up, the same for all tasks: what tells tasks apart, and what lets a
number count in some rows alone, can be the refinement alone.
"""

import keras
import numpy as np
import pytest
from keras import ops

from benchmarks.planted_tasks import Given, Training
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec

TASKS = (TaskSpec("click", "click"), TaskSpec("buy", "buy"))
INPUTS = ModelInputs((), (), (), None, ("all",), TASKS)
ROWS = 10_000


class Sum(keras.layers.Layer):
    """TRM, its weights of numbers averaged over tasks or rows if asked for, and a plain sum."""

    def __init__(self, change):
        super().__init__()
        self.bottom = BOTTOMS.build("trm", {"hidden": 32}, INPUTS)
        self.change = change

    def call(self, fields, field_ids, domain_ids, training=False):
        refined = self.bottom(fields)[:, :, 0]  # (B, T, n)
        if self.change:
            axis = {"alike for tasks": 1, "alike for rows": 0}[self.change]
            weights = ops.mean(refined / fields, axis=axis, keepdims=True)
            refined = (weights + ops.zeros_like(refined)) * fields
        return {"logits": 3.0 * ops.sum(refined, axis=-1)}


def _sample(rows, seed):
    """Clicks follow the first number, buys the second one; both where the third one is positive."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, 1, 4))
    logits = 3.0 * values[:, 0, :2] * (values[:, 0, 2:3] > 0)
    labels = (random.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype("int64")
    columns = {"fields": values.astype("float32"), "domain_id": np.zeros(rows, "int64")}
    return {**columns, "click": labels[:, 0], "buy": labels[:, 1]}, logits


def _aucs(seed, change=None):
    """Of both tasks, and the best possible ones."""
    keras.utils.set_random_seed(seed)
    columns, _ = _sample(ROWS, seed)
    loss = [{"name": "binary_cross_entropy"}]
    model = Given(Sum(change))
    training = Training(model, TASKS, columns, seed=seed, learning_rate=0.02, loss=loss)
    training.epochs(8)
    held_out, truth = _sample(ROWS, 10**6)
    scores = training.predict(held_out)["logits"]
    pairs = [(held_out[task.name], place) for place, task in enumerate(TASKS)]
    found = np.array([area_under_curve(labels, scores[:, place]) for labels, place in pairs])
    best = np.array([area_under_curve(labels, truth[:, place]) for labels, place in pairs])
    print(change, seed, found.round(3), best.round(3))
    return found, best


@pytest.mark.parametrize("seed", [1, 2])
def test_a_number_counts_for_its_task_where_the_row_says_so(seed):
    found, best = _aucs(seed)
    assert (found > 0.5 + 0.9 * (best - 0.5)).all()


@pytest.mark.parametrize("change", ["alike for tasks", "alike for rows"])
def test_weights_alike_for_tasks_or_for_rows_do_not(change):
    found, best = _aucs(1, change=change)
    assert (found < 0.5 + 0.85 * (best - 0.5)).all()
