"""What a served model says of itself: a JSON file inside the SavedModel.

`read_serving_contract` is for readers with this project; `trainer/serving/scoring.py` reads the
same file with nothing but TensorFlow.
"""

import json
import os

import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import MultipleFeature, VectorFeature

#: Where it lies in the SavedModel's folder; TensorFlow Serving leaves this folder alone.
SERVING_CONTRACT_FILE = "assets.extra/serving_contract.json"
#: Grows where a reader of an older file would misread a newer one; new keys alone do not count.
#: 2 where sequences are beside each other, which an older reader would put out of step; 3 where
#: features have several values, or vectors, which it does not know.
FORMAT = 3
_FORMAT_OF_BEHAVIOURS = 2
_FORMAT_OF_PLAIN_SEQUENCES = 1


def write_serving_contract(folder: str, contract: DataContract) -> None:
    """Writes the file into a SavedModel.

    Args:
        folder: of the SavedModel.
        contract: the data contract that the model was trained with; what it knows only when
            training is left out.
    """
    path = os.path.join(folder, SERVING_CONTRACT_FILE)
    tf.io.gfile.makedirs(os.path.dirname(path))
    contract = contract.served
    form = _FORMAT_OF_BEHAVIOURS if contract.behaviours else _FORMAT_OF_PLAIN_SEQUENCES
    if any(isinstance(f, MultipleFeature | VectorFeature) for f in contract.features.values()):
        form = FORMAT
    text = json.dumps({"format": form, "data_contract": contract.model_dump(mode="json")})
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(text)


def read_serving_contract(folder: str) -> DataContract | None:
    """Reads the data contract of a SavedModel.

    Args:
        folder: of the SavedModel.

    Returns:
        None where the model holds no such file: it is an older one, or of another project.

    Raises:
        ValueError: the file is of a newer format, or no data contract.
    """
    path = os.path.join(folder, SERVING_CONTRACT_FILE)
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        text = file.read()
    try:
        values = json.loads(text)
        if values["format"] > FORMAT:
            raise ValueError(f"format {values['format']} is newer than {FORMAT}")
        return DataContract.read(values["data_contract"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no contract of a served model: {error}") from error
