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
OUTPUTS = {"logits": LOGITS, "joint_probabilities": 1 / (1 + np.exp(-LOGITS))}


@pytest.mark.parametrize(
    "name, options", [("binary_cross_entropy", {"positive_weight": 3.0}), ("focal", {"gamma": 1.0})]
)
def test_weighs_another_loss_by_sigma(name, options):
    loss = LOSSES.build("uncertainty_weighting", {"loss": name, "loss_options": options}, TASKS)
    loss.log_sigma.assign([0.3, -1.2])
    inner = np.asarray(LOSSES.build(name, options, TASKS)(LABELS, OUTPUTS, MASK))
    sigma = np.exp([0.3, -1.2])
    with tf.GradientTape() as tape:
        losses = loss(LABELS, OUTPUTS, MASK)
    np.testing.assert_allclose(losses, inner / (2 * sigma**2) + np.log(sigma), rtol=1e-5)
    gradient = tape.gradient(losses, loss.trainable_variables[0].value)
    np.testing.assert_allclose(gradient, 1 - inner / sigma**2, rtol=1e-4)


def test_starts_at_half_of_each_loss_and_settles_where_sigma_squared_is_the_loss():
    loss = LOSSES.build("uncertainty_weighting", {}, TASKS)
    inner = np.asarray(LOSSES.build("binary_cross_entropy", {}, TASKS)(LABELS, OUTPUTS, MASK))
    np.testing.assert_allclose(loss(LABELS, OUTPUTS, MASK), inner / 2, rtol=1e-6)
    for _ in range(200):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(loss(LABELS, OUTPUTS, MASK))
        variable = loss.log_sigma.value
        variable.assign_sub(0.1 * tape.gradient(total, variable))
    np.testing.assert_allclose(np.exp(2 * np.asarray(loss.log_sigma)), inner, rtol=1e-3)


def test_a_task_without_rows_leaves_its_sigma_alone():
    loss = LOSSES.build("uncertainty_weighting", {}, TASKS)
    loss.log_sigma.assign([0.3, 0.4])
    with tf.GradientTape() as tape:
        losses = loss(LABELS, OUTPUTS, MASK * [1.0, 0.0])
    gradient = tape.gradient(losses, loss.log_sigma.value).numpy()
    assert losses[1] == 0 and gradient[1] == 0 and gradient[0] != 0


def test_is_over_all_rows_where_the_weighted_loss_is():
    entire = LOSSES.build("uncertainty_weighting", {"loss": "entire_space_cross_entropy"}, TASKS)
    assert entire.over_all_rows and entire(LABELS, OUTPUTS, MASK * 0)[1] > 0
    assert not LOSSES.build("uncertainty_weighting", {}, TASKS).over_all_rows


def test_refuses_unknown_losses_and_options():
    with pytest.raises(SettingsError, match="did you mean 'focal'"):
        LOSSES.validate("uncertainty_weighting", {"loss": "focl"})
    with pytest.raises(SettingsError, match="loss_options: unknown option|loss_options.gama"):
        LOSSES.build("uncertainty_weighting", {"loss": "focal", "loss_options": {"gama": 1}}, TASKS)
