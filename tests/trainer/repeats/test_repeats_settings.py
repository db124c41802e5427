"""How many trainings may be asked for, and of what."""

import pytest

from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.methods import TRAINING_METHODS, check_repeats
from mtlx.transform.config.settings import SettingsError


def test_the_seeds_are_one_after_the_other():
    assert TrainingSettings.read({"seed": 7}).seeds == (7,)
    assert TrainingSettings.read({"seed": 7, "repeats": 4}).seeds == (7, 8, 9, 10)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"repeats": 2}, "repeats: .*2 seeds say next to nothing.*1 seed, or from 3 and more"),
        ({"repeats": 0}, "repeats"),
        ({"repeats": 3, "epochs": 0, "warm_start": "latest_blessed"}, "leave repeats out"),
    ],
)
def test_what_says_nothing_is_refused(values, text):
    with pytest.raises(SettingsError, match=text):
        TrainingSettings.read(values)


def test_trees_are_the_same_from_every_seed_and_are_refused():
    """Their method draws nothing; all others do."""
    unseeded = {name for name in TRAINING_METHODS if not TRAINING_METHODS.get(name).seeded}
    assert unseeded == {"gradient_boosting"}
    several = TrainingSettings.read({"repeats": 3})
    check_repeats("standard", several)
    check_repeats("gradient_boosting", TrainingSettings.read({}))
    with pytest.raises(SettingsError, match="the same model from every seed"):
        check_repeats("gradient_boosting", several)
