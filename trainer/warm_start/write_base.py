"""Writes into a SavedModel what a later training needs to begin with it."""

import os
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.training.stored.archive import write_archive
from mtlx.trainer.warm_start.base_files import FOLDER, RECORD_FILE
from mtlx.trainer.warm_start.base_model import STATE_FILE, State
from mtlx.trainer.warm_start.base_record import BaseRecord, write_record
from mtlx.transform.analysis.analysis import vocabulary_name, vocabulary_requests
from mtlx.transform.analysis.finished_analysis import kept_numbers
from mtlx.transform.contract.data_contract import DataContract

_NUMBERS_FILE = f"{FOLDER}/numbers.json"


def write_base(
    folder: str,
    contract: DataContract,
    model: ModelSettings,
    transformed: tft.TFTransformOutput,
    names: Sequence[str],
    state: State,
) -> None:
    """Writes record, numeric analysis and state; the vocabularies are the SavedModel's assets.

    Args:
        folder: of the SavedModel.
        contract: the data contract.
        model: settings of the model as it was exported.
        transformed: the transform that it was trained on.
        names: of the exported weights, in the model's order.
        state: what is kept beside them.
    """
    assets = {
        name: os.path.join("assets", os.path.basename(path))
        for name, path in _vocabularies(contract, transformed).items()
    }
    numbers = _numbers(transformed)
    if numbers is not None:
        tf.io.gfile.makedirs(os.path.join(folder, FOLDER))
        tf.io.gfile.copy(numbers, os.path.join(folder, _NUMBERS_FILE), overwrite=True)
    if any(state.values()):
        _write_state(os.path.join(folder, STATE_FILE), state)
    record = BaseRecord(
        contract=contract,
        model=model,
        weights=list(names),
        vocabularies=assets,
        numbers=None if numbers is None else _NUMBERS_FILE,
    )
    write_record(os.path.join(folder, FOLDER, RECORD_FILE), record)


def describe_checkpoint(
    folder: str, contract: DataContract, model: ModelSettings, transformed: tft.TFTransformOutput
) -> None:
    """Writes the record beside a training's checkpoint; the analysis stays where it is."""
    record = BaseRecord(
        contract=contract,
        model=model,
        vocabularies=_vocabularies(contract, transformed),
        numbers=_numbers(transformed),
    )
    write_record(os.path.join(folder, RECORD_FILE), record)


def _vocabularies(contract: DataContract, transformed: tft.TFTransformOutput) -> dict[str, str]:
    """Their files, by feature."""
    return {
        name: transformed.vocabulary_file_by_name(vocabulary_name(name))
        for name in vocabulary_requests(contract)
    }


def _numbers(transformed: tft.TFTransformOutput) -> str | None:
    """The file with the numeric analysis; None where Transform kept none, as the stock one."""
    return kept_numbers(os.path.dirname(transformed.transform_savedmodel_dir))


def _write_state(path: str, state: State) -> None:
    tf.io.gfile.makedirs(os.path.dirname(path))
    flat = {
        f"{group}:{name}": value
        for group, values in state.items()
        for name, value in values.items()
    }
    write_archive(path, flat)
