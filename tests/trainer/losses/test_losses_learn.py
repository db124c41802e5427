"""Terms of the loss in training: does each of them do what it is added for?"""

import keras
import numpy as np
import pytest

from benchmarks.planted_tasks import Given, Training
from trainer.area_under_curve import area_under_curve
from trainer.networks import NETWORKS
from transform.model_inputs import CategoricalInput, ModelInputs, TaskSpec

CHAIN = (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click"))
CROSS_ENTROPY = {"name": "binary_cross_entropy"}


def _sample(rows, seed, rate=0.0):
    """Clicks follow the first number, what is bought of the clicked the second one too."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, 1, 4))
    click = random.random(rows) < 1 / (1 + np.exp(1 - values[:, 0, 0]))
    buy = click & (random.random(rows) < 1 / (1 + np.exp(-rate - 2 * values[:, 0, 1])))
    return {
        "fields": values.astype("float32"),
        "domain_id": np.zeros(rows, "int64"),
        "click": click.astype("int64"),
        "buy": buy.astype("int64"),
    }


def _train(loss, rows, seed, epochs, **changes):
    keras.utils.set_random_seed(seed)
    inputs = ModelInputs((CategoricalInput("item", 3),), (), (), None, ("all",), CHAIN)
    network = NETWORKS.build("single_task", {"hidden": [16]}, inputs)
    columns = _sample(rows, seed, **changes)
    training = Training(
        Given(network), CHAIN, columns, seed=seed, loss=loss, learning_rate=0.01, batch_size=250
    )
    training.epochs(epochs)
    return training


@pytest.mark.parametrize("seed", [1, 2])
def test_sigma_settles_where_its_square_is_the_tasks_loss(seed):
    loss = [{"name": "uncertainty_weighting"}]
    training = _train(loss, 10_000, seed, 6)
    held_out = _sample(10_000, 10**6)
    logits = training.predict(held_out)["logits"]
    labels = np.stack([held_out["click"], held_out["buy"]], axis=1)
    losses = np.mean(np.logaddexp(0, logits) - labels * logits, axis=0)
    (sigma,) = (np.exp(np.asarray(layer.log_sigma)) for layer in training.step.loss_layers)
    print(sigma**2, losses)
    np.testing.assert_allclose(sigma**2, losses, rtol=0.1)


@pytest.mark.parametrize("seed", [1, 2])
def test_pwiser_ranks_what_is_bought_above_what_is_clicked(seed):
    """In the click's scores: of clicks alone nothing tells those with a conversion."""
    held_out = _sample(20_000, 10**6)
    clicks = held_out["click"] == 1
    aucs = {}
    for weight in (0.0, 0.3):
        loss = [CROSS_ENTROPY, {"name": "pwiser", "options": {"weight": weight}}]
        training = _train(loss, 5_000, seed, 6)
        scores = training.predict(held_out)["logits"][:, 0]
        of_buy = area_under_curve(held_out["buy"][clicks], scores[clicks])
        aucs[weight] = (of_buy, area_under_curve(held_out["click"], scores))
    print(seed, aucs)
    assert abs(aucs[0.0][0] - 0.5) < 0.06
    assert aucs[0.3][0] > aucs[0.0][0] + 0.05


@pytest.mark.parametrize("seed", [1, 2])
def test_the_calibrator_keeps_a_later_task_below_the_one_before(seed):
    """Few rows, nearly all clicks bought: networks of their own contradict each other."""
    held_out = _sample(5_000, 10**6)
    excess = {}
    for weight in (0.0, 0.6):
        options = {"weight": weight}
        loss = [CROSS_ENTROPY, {"name": "behavioural_expectation_calibrator", "options": options}]
        training = _train(loss, 500, seed, 40, rate=4.0)
        click, buy = (1 / (1 + np.exp(-training.predict(held_out)["logits"]))).T
        excess[weight] = np.mean(np.maximum(buy - click, 0))
    print(seed, excess)
    assert excess[0.6] < 0.5 * excess[0.0]
