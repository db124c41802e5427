"""What small heads are for: a shared bottom that holds what all tasks need, not half of it.

Towers of two layers can finish what the bottom has begun; a linear head can't. So the bottom is
asked afterwards, by linear models on few rows each, what it knows of the labels.
"""

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from benchmarks.planted_tasks import Given, Training
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

TASKS = (TaskSpec("click", "click"), TaskSpec("skip", "skip"))
INPUTS = ModelInputs((CategoricalInput("item", 3),), (), (), None, ("all",), TASKS)
OPTIONS = {"bottom_hidden": [32], "tower_hidden": [64, 64]}
ROWS, FEW, DRAWS = 10_000, 200, 10


def _sample(rows, seed):
    """A click follows the product of two of eight numbers, a skip its opposite."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, 1, 8))
    log_odds = 3 * values[:, 0, 0] * values[:, 0, 1]
    click, skip = (random.random(rows) < 1 / (1 + np.exp(-z)) for z in (log_odds, -log_odds))
    columns = {"fields": values.astype("float32"), "domain_id": np.zeros(rows, "int64")}
    return {**columns, "click": click.astype("int64"), "skip": skip.astype("int64")}


def _aucs(weight, seed):
    """Of the click's tower, and the mean one of linear models of few rows on the bottom."""
    keras.utils.set_random_seed(seed)
    network = NETWORKS.build("small_heads", OPTIONS, INPUTS)
    loss = [
        {"name": "binary_cross_entropy"},
        {"name": "small_heads", "options": {"weight": weight}},
    ]
    columns = _sample(ROWS, seed)
    training = Training(Given(network), TASKS, columns, seed=seed, loss=loss, learning_rate=4e-3)
    training.epochs(8)
    held_out, others = _sample(ROWS, 10**6), _sample(DRAWS * FEW, 10**6 + 1)

    def shared(rows):
        return np.asarray(network.bottom(rows["fields"][:, 0]))[:, 0]

    values, labels = np.split(shared(others), DRAWS), np.split(others["click"], DRAWS)
    probes = [
        LogisticRegression(max_iter=500).fit(x, y).decision_function(shared(held_out))
        for x, y in zip(values, labels, strict=True)
    ]
    probed = np.mean([area_under_curve(held_out["click"], scores) for scores in probes])
    own = area_under_curve(held_out["click"], training.predict(held_out)["logits"][:, 0])
    return own, probed


@pytest.mark.parametrize("seed", [1, 2])
def test_the_bottom_holds_more_of_what_is_common(seed):
    (own, probed), (own_without, probed_without) = _aucs(1.0, seed), _aucs(0.0, seed)
    print(seed, own, own_without, probed, probed_without)
    assert probed > probed_without + 0.008
    assert own > own_without - 0.005
