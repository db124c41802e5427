"""Terms of the loss in training: does each of them do what it is added for?"""

import keras
import numpy as np
import pytest

from benchmarks.planted_tasks import Given, Training
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

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


@pytest.mark.parametrize(
    ("options", "shift"), [({}, 0.0), ({"positive_weight": 4.0}, 4.0)], ids=["plain", "weighted"]
)
def test_cross_entropy_gives_the_labels_own_probabilities(options, shift):
    """Weights of positives multiply the odds, and change no order."""
    training = _train([{**CROSS_ENTROPY, "options": options}], 10_000, 1, 6)
    held_out = _sample(10_000, 10**6)
    clicks, scores = held_out["click"], training.predict(held_out)["logits"][:, 0]
    log_odds = held_out["fields"][:, 0, 0] - 1.0 + (np.log(shift) if shift else 0.0)
    expected, found = (np.mean(1 / (1 + np.exp(-z))) for z in (log_odds, scores))
    aucs = [area_under_curve(clicks, values) for values in (scores, log_odds)]
    print(options, found, expected, clicks.mean(), aucs)
    assert abs(found - expected) < 0.03
    assert aucs[0] > aucs[1] - 0.01


def test_focal_ranks_as_well_and_draws_probabilities_to_a_half():
    held_out = _sample(10_000, 10**6)
    found = {}
    for loss in (CROSS_ENTROPY, {"name": "focal", "options": {"gamma": 2.0, "alpha": None}}):
        scores = _train([loss], 10_000, 1, 6).predict(held_out)["logits"][:, 0]
        auc = area_under_curve(held_out["click"], scores)
        found[loss["name"]] = auc, np.std(scores)
    print(found)
    assert found["focal"][0] > found["binary_cross_entropy"][0] - 0.01
    assert found["focal"][1] < 0.8 * found["binary_cross_entropy"][1]


def _two_domains(rows, seed, share):
    """Labels of the first domain follow the first number, those of the second one the second."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, 1, 4))
    domain = (random.random(rows) < share).astype("int64")
    log_odds = 2 * values[np.arange(rows), 0, domain]
    labels = random.random((2, rows)) < 1 / (1 + np.exp(-log_odds))
    columns = dict(zip(("click", "buy"), labels.astype("int64"), strict=True))
    return {"fields": values.astype("float32"), "domain_id": domain, **columns}


def test_a_loss_per_domain_lets_a_small_domain_count_as_a_large_one():
    """The network does not know the domains, so that it must choose whom to serve."""
    inputs = ModelInputs((CategoricalInput("item", 3),), (), (), None, ("all",), CHAIN)
    held_out, found = _two_domains(10_000, 10**6, 0.5), {}
    for loss in ("binary_cross_entropy", "domain_cross_entropy"):
        keras.utils.set_random_seed(1)
        network = NETWORKS.build("single_task", {"hidden": [16]}, inputs)
        columns = _two_domains(10_000, 1, 0.1)
        training = Training(
            Given(network), CHAIN, columns, loss=[{"name": loss}], learning_rate=0.01
        )
        training.epochs(4)
        scores = training.predict(held_out)["logits"][:, 0]
        found[loss] = [
            area_under_curve(held_out["click"][rows], scores[rows])
            for rows in (held_out["domain_id"] == 0, held_out["domain_id"] == 1)
        ]
    print(found)
    assert abs(found["domain_cross_entropy"][0] - found["domain_cross_entropy"][1]) < 0.06
    assert found["domain_cross_entropy"][1] > found["binary_cross_entropy"][1] + 0.08


@pytest.mark.parametrize("seed", [1, 2])
def test_esmm_learns_a_conversion_that_has_no_loss_of_its_own(seed):
    """From clicks and from purchases of all rows alone."""
    keras.utils.set_random_seed(seed)
    tasks = (CHAIN[0], TaskSpec("buy", "buy", "click", "click"))
    inputs = ModelInputs((CategoricalInput("item", 3),), (), (), None, ("all",), tasks)
    network = NETWORKS.build("esmm", {"tower_hidden": [16]}, inputs)
    columns = _sample(10_000, seed)
    loss = [{"name": "entire_space_cross_entropy"}]
    training = Training(Given(network), tasks, columns, seed=seed, loss=loss, learning_rate=0.01)
    training.epochs(6)
    held_out = _sample(20_000, 10**6)
    clicked = held_out["click"] == 1
    served = training.predict(held_out)["probabilities"][clicked, 1]
    bought, log_odds = held_out["buy"][clicked], 2 * held_out["fields"][clicked, 0, 1]
    auc, best = (area_under_curve(bought, scores) for scores in (served, log_odds))
    print(seed, auc, best, served.mean(), bought.mean())
    assert auc > 0.5 + 0.9 * (best - 0.5)
    assert abs(served.mean() - bought.mean()) < 0.05
