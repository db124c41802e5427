"""What a graph tells a Trainer is what the Trainer reads."""

import pytest

from mtlx.trainer.run_config import CHECKPOINT_ROOT, SETTINGS_KEYS, read_settings, run_config
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {"item": {"kind": "categorical"}, "price": {"kind": "numeric"}},
        "tasks": {"click": {"label": "click"}},
    }
)


def test_the_settings_come_back():
    model, training = ModelSettings(network="ple"), TrainingSettings(epochs=7)
    config = run_config(CONTRACT, model, training, "/mnt/checkpoints")
    assert tuple(config) == (*SETTINGS_KEYS, CHECKPOINT_ROOT)
    assert read_settings(config) == (CONTRACT, model, training)
    assert config[CHECKPOINT_ROOT] == "/mnt/checkpoints"


@pytest.mark.parametrize(("mixed", "precision"), [("true", "bfloat16"), ("false", "float32")])
def test_the_former_name_of_the_precision_is_read(mixed, precision):
    config = run_config(CONTRACT, ModelSettings(network="ple"), TrainingSettings(), "/root")
    config["training"] = f'{{"epochs": 3, "mixed_precision": {mixed}}}'
    assert read_settings(config)[2] == TrainingSettings(epochs=3, precision=precision)


@pytest.mark.parametrize(
    "values",
    [
        {"mixed_precision": "bfloat16"},
        {"mixed_precision": True, "precision": "auto"},
        {"mixed_precision": False, "precision": "bfloat16"},
    ],
)
def test_both_names_of_the_precision_that_contradict_each_other_are_refused(values):
    with pytest.raises(SettingsError, match="mixed_precision is called precision now"):
        TrainingSettings.read(values)


@pytest.mark.parametrize("key", [*SETTINGS_KEYS, CHECKPOINT_ROOT])
def test_what_is_missing_is_named(key):
    config = run_config(CONTRACT, ModelSettings(network="ple"), TrainingSettings(), "/root")
    del config[key]
    with pytest.raises(ValueError, match=f"custom_config of Trainer lacks {key}"):
        read_settings(config)
