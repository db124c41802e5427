"""What a graph tells a Trainer is what the Trainer reads."""

import pytest

from mtlx.trainer.run_config import CHECKPOINT_ROOT, SETTINGS_KEYS, read_settings, run_config
from mtlx.trainer.settings import ModelSettings, TrainingSettings
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


@pytest.mark.parametrize("key", [*SETTINGS_KEYS, CHECKPOINT_ROOT])
def test_what_is_missing_is_named(key):
    config = run_config(CONTRACT, ModelSettings(network="ple"), TrainingSettings(), "/root")
    del config[key]
    with pytest.raises(ValueError, match=f"custom_config of Trainer lacks {key}"):
        read_settings(config)
