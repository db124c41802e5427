"""The stock Trainer's ``custom_config``: what the graph hands to `mtlx.trainer.run_fn`, as JSON."""

import json
from collections.abc import Mapping

from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.config.settings import SettingsError, SettingsType
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY, contract_config
from mtlx.transform.contract.data_contract import DataContract

_MODEL, _TRAINING = "model", "training"
#: Keys of settings as JSON.
SETTINGS_KEYS = (CONTRACT_PROPERTY, _MODEL, _TRAINING)
#: Key of the folder for checkpoints.
CHECKPOINT_ROOT = "checkpoint_root"


def run_config(
    contract: DataContract,
    model: ModelSettings,
    training: TrainingSettings,
    checkpoint_root: str,
) -> dict[str, str]:
    """What a Trainer is told.

    Args:
        contract: the data contract.
        model: the model.
        training: how it is trained.
        checkpoint_root: folder for the checkpoints of a pipeline.
    """
    return {
        **contract_config(contract),
        _MODEL: model.to_json(),
        _TRAINING: training.to_json(),
        CHECKPOINT_ROOT: checkpoint_root,
    }


def read_settings(
    config: Mapping[str, str],
) -> tuple[DataContract, ModelSettings, TrainingSettings]:
    """The settings in a Trainer's ``custom_config``.

    Raises:
        ValueError: a key is missing, or its value is not what it must be.
    """
    missing = [key for key in (*SETTINGS_KEYS, CHECKPOINT_ROOT) if key not in config]
    if missing:
        raise ValueError(
            f"custom_config of Trainer lacks {', '.join(missing)}; "
            "mtlx.pipeline.graph.graph passes them"
        )
    return (
        _read(DataContract, config, CONTRACT_PROPERTY),
        _read(ModelSettings, config, _MODEL),
        _read(TrainingSettings, config, _TRAINING),
    )


def _read(kind: type[SettingsType], config: Mapping[str, str], key: str) -> SettingsType:
    """One section of ``custom_config``; an error says which."""
    try:
        return kind.read(json.loads(config[key]))
    except json.JSONDecodeError as error:
        problem = f"no JSON: {error}. Received: {config[key]!r}"
    except SettingsError as error:
        problem = str(error)
    raise ValueError(f"custom_config[{key!r}] of Trainer: {problem}")
