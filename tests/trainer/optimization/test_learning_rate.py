"""The rate that the optimiser really used, read off what SGD did to the weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.optimization.learning_rate import needs_length
from mtlx.trainer.optimization.schedules import SCHEDULES
from mtlx.trainer.optimization.schedules.schedule import TrainingLength
from mtlx.trainer.settings import ScheduleSettings, TrainingSettings
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec

RATE = 0.25
EPOCHS, EPOCH_STEPS = 4, 5
STEPS = EPOCHS * EPOCH_STEPS


class Constant(GradientModel):
    """A logit, the same for all rows."""

    def __init__(self):
        super().__init__()
        self.logit = self.add_weight(shape=(), initializer="zeros", name="logit")

    def call(self, features, training=False):
        logits = keras.ops.zeros_like(features["click"])[:, None] + self.logit
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


def _rates(schedule, steps=STEPS, before=lambda step, number: None):
    """Rates of so many steps: the gradient is σ(w) − 1 where all labels are 1."""
    values = TrainingSettings.read(
        {"optimizer": "sgd", "learning_rate": RATE, "schedule": schedule, "patience": None}
    )
    model = Constant()
    length = TrainingLength(EPOCH_STEPS, EPOCHS)
    step = OrdinaryStep(
        model, (TaskSpec("ctr", "click"),), values, tf.distribute.get_strategy(), length=length
    )
    batch = {"click": tf.ones(8)}
    step.prepare(batch)
    rates = []
    for number in range(steps):
        before(step, number)
        weight = float(model.logit)
        step(batch)
        rates.append((float(model.logit) - weight) / (1 - 1 / (1 + np.exp(-weight))))
        assert step.optimizers.rates(number) == pytest.approx([rates[-1]], rel=1e-3)
    return np.array(rates)


def test_constant():
    np.testing.assert_allclose(_rates("constant", steps=3), RATE, rtol=1e-4)


@pytest.mark.parametrize("warm_up", [{"warm_up_steps": 4}, {"warm_up_share": 0.2}])
def test_cosine_behind_a_warm_up(warm_up):
    """Two steps more than the schedule has: the rate stays at its end."""
    schedule = {"name": "cosine", "options": {"final_share": 0.1}, **warm_up}
    step = np.arange(STEPS + 2)
    part = np.clip((step - 4) / (STEPS - 4), 0, 1)
    expected = RATE * (0.1 + 0.9 * (1 + np.cos(np.pi * part)) / 2)
    expected *= np.minimum((step + 1) / 5, 1)
    assert expected[4] == RATE and expected[-1] == pytest.approx(RATE / 10)
    np.testing.assert_allclose(_rates(schedule, STEPS + 2), expected, rtol=1e-3)


@pytest.mark.parametrize("staircase", [False, True])
def test_exponential(staircase):
    options = {"decay": 0.5, "every_epochs": 2, "staircase": staircase}
    exponent = np.arange(STEPS) / (2 * EPOCH_STEPS)
    expected = RATE * 0.5 ** (np.floor(exponent) if staircase else exponent)
    found = _rates({"name": "exponential", "options": options})
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_a_schedule_goes_on_from_the_place_that_the_progress_holds():
    """Six steps ahead, at a third of the rate."""

    def before(step, number):
        if number == 0:
            step.optimizers.schedule.place(6, 1 / 3)

    step = np.arange(6, 10)
    expected = RATE / 3 * (1 + np.cos(np.pi * step / STEPS)) / 2
    np.testing.assert_allclose(_rates("cosine", 4, before), expected, rtol=1e-3)


def test_plateau_reduces_after_every_so_many_epochs_without_gain():
    options = {"reduction": 0.5, "patience": 2, "smallest_share": 0.2}
    plateau = SCHEDULES.build("plateau", options, 1, 1)
    factors, factor = [], 1.0
    for without_gain in (0, 1, 2, 0, 1, 2, 3, 4, 5, 6):
        factor = plateau.factor(factor, without_gain)
        factors.append(factor)
    assert factors == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2]
    assert plateau.share(3) == 1.0


def test_rows_are_counted_only_for_what_depends_on_their_number():
    for schedule, expected in (
        ("constant", False),
        ("plateau", False),
        ("cosine", True),
        ("exponential", True),
        ({"warm_up_steps": 3}, True),
        ({"name": "plateau", "warm_up_share": 0.1}, True),
    ):
        assert needs_length(ScheduleSettings.model_validate(schedule)) == expected


def test_a_warm_up_as_long_as_the_training_is_refused():
    with pytest.raises(SettingsError, match="20 steps.* all 4 epochs have no more than 20 of 5"):
        _rates({"warm_up_steps": STEPS})
    rates = _rates({"warm_up_share": 0.99}, steps=STEPS)
    assert rates[-1] == pytest.approx(RATE, rel=1e-3) and rates[-2] < RATE


def test_settings_that_contradict_each_other_are_refused():
    for values, text in (
        ({"schedule": {"warm_up_steps": 3, "warm_up_share": 0.1}}, "give one of them"),
        ({"schedule": "plateau", "patience": 1}, "patience 1 ends the training then"),
        (
            {"schedule": {"name": "plateau", "options": {"patience": 4}}, "patience": 3},
            "after 4 epochs without gain, but patience 3",
        ),
        ({"batch_size": 4, "batch_parts": 5}, "5 parts of 4 rows"),
        ({"batch_parts": 2, "method": "meta"}, "set batch_parts to 1"),
        ({"optimizer": "lazy_adam", "embeddings": {"weight_decay": 0.1}}, "embeddings.l2"),
        ({"average": 1.0}, "less than 1"),
        ({"schedule": {"warm_up": 3}}, "warm_up_s"),
    ):
        with pytest.raises(SettingsError, match=text):
            TrainingSettings.read(values)
    short = TrainingSettings.read({"schedule": "cosine", "average": 0.9})
    assert short.schedule.name == "cosine" and short.average.momentum == 0.9
    TrainingSettings.read({"schedule": "plateau", "patience": None})
