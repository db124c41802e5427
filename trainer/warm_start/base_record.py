"""What a model says of itself to a training that begins with it: a JSON file beside its weights."""

import json
import os
from collections.abc import Mapping
from typing import Any

import pydantic
import tensorflow as tf

from mtlx.trainer.settings import ModelSettings
from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.data_contract import DataContract


class BaseRecord(Settings):
    """What stands beside the weights.

    Attributes:
        contract: the data contract.
        model: settings of the model, as it was exported: a trimmed network is a smaller one.
        weights: names of the exported weights, in the order of their numbers; empty for a
            checkpoint, which holds those of the whole model.
        vocabularies: by feature, the file with its values, one a line; relative to the model's
            folder, or absolute.
        numbers: file with the numeric analysis, likewise; None where it was not kept.
    """

    contract: DataContract
    model: ModelSettings
    weights: list[str] = []
    vocabularies: dict[str, str]
    numbers: str | None = None


def write_record(path: str, record: BaseRecord) -> None:
    """Writes the file."""
    tf.io.gfile.makedirs(os.path.dirname(path))
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(record.to_json())


def read_record(path: str) -> BaseRecord:
    """Reads the file.

    Raises:
        ValueError: it is damaged, or of another release.
    """
    with tf.io.gfile.GFile(path) as file:
        text = file.read()
    try:
        values: Mapping[str, Any] = json.loads(text)
        return BaseRecord.model_validate(values)
    except (json.JSONDecodeError, pydantic.ValidationError) as error:
        raise ValueError(f"{path} is no record of a base model of this release: {error}") from None
