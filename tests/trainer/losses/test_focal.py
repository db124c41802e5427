import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.losses import LOSSES
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec

TASKS = (TaskSpec("click", "c"), TaskSpec("buy", "b", "click", "click"))
RANDOM = np.random.RandomState(0)
LABELS = RANDOM.randint(0, 2, (50, 2)).astype("float32")
MASK = np.stack([np.ones(50), LABELS[:, 0]], axis=1).astype("float32")
LOGITS = RANDOM.randn(50, 2).astype("float32")


def _loss(logits=LOGITS, mask=MASK, **options):
    return LOSSES.build("focal", options, TASKS)(LABELS, {"logits": logits}, mask)


def _expected(gammas, alphas):
    result = []
    for task, (gamma, alpha) in enumerate(zip(gammas, alphas, strict=True)):
        total = 0.0
        for row in range(50):
            p = 1 / (1 + np.exp(-float(LOGITS[row, task])))
            q = p if LABELS[row, task] else 1 - p
            weight = 1.0 if alpha is None else (alpha if LABELS[row, task] else 1 - alpha)
            total -= MASK[row, task] * weight * (1 - q) ** gamma * np.log(q)
        result.append(total / MASK[:, task].sum())
    return result


def test_is_the_papers_formula_on_the_population():
    np.testing.assert_allclose(_loss(), _expected((2, 2), (0.25, 0.25)), rtol=1e-5)
    options = {"gamma": {"click": 0.5, "buy": 3.0}, "alpha": {"click": 0.1, "buy": 1.0}}
    np.testing.assert_allclose(_loss(**options), _expected((0.5, 3), (0.1, 1.0)), rtol=1e-5)


def test_without_gamma_and_alpha_it_is_the_cross_entropy():
    expected = LOSSES.build("binary_cross_entropy", {}, TASKS)(LABELS, {"logits": LOGITS}, MASK)
    np.testing.assert_allclose(_loss(gamma=0.0, alpha=None), expected, rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.3, 2.0])
@pytest.mark.parametrize("size", [0.0, 1.0, 1e4])
def test_empty_population_and_extreme_logits_stay_finite(gamma, size):
    logits = tf.constant(LOGITS * size)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        losses = _loss(logits, MASK * [1.0, 0.0], gamma=gamma)
    gradient = tape.gradient(losses, logits).numpy()
    assert losses[1] == 0 and np.isfinite(losses).all() and np.isfinite(gradient).all()
    assert (gradient[:, 1] == 0).all() and (gradient[:, 0] != 0).any()


@pytest.mark.parametrize(
    "options",
    [
        {"gamma": -1.0},
        {"gamma": {"click": 1.0}},
        {"gamma": {"click": 1.0, "buy": 1.0, "bye": 1.0}},
        {"alpha": 1.5},
        {"alpha": {"buy": 0.5}},
    ],
)
def test_refuses_wrong_options(options):
    with pytest.raises(SettingsError, match="buy|negative|above 1|'click'"):
        _loss(**options)
