"""Gives a new model the pretrained vectors of its values."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.pretrained.vector_table import VectorTable
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import IdKind
from mtlx.transform.contract.model_inputs import FIRST_VALUE_ID


class GivenVectors:
    """The vectors of all features that have such, read once.

    Args:
        contract: the data contract.
        vocabularies: a feature's name to its values in the order of their ids.

    Attributes:
        notes: a line for each feature: which share of its vocabulary has a vector.

    Raises:
        ValueError: a file that is not what it must be.
    """

    def __init__(self, contract: DataContract, vocabularies: Callable[[str], list[bytes]]) -> None:
        self.notes: list[str] = []
        self._found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for name, feature in contract.features.items():
            if not isinstance(feature, IdKind) or feature.pretrained is None:
                continue
            given = feature.pretrained
            try:
                with tf.io.gfile.GFile(given.path, "rb") as file:
                    table = VectorTable.read(file.read(), given.path, given.size, name)
            except tf.errors.OpError as error:
                raise ValueError(
                    f"features.{name}.pretrained.path: {given.path} cannot be read: {error.message}"
                ) from error
            vocabulary = vocabularies(name)
            vectors, known = table.of(vocabulary)
            self._found[name] = vectors, known
            count = int(known.sum())
            self.notes.append(
                f"Pretrained vectors of {name}: {count:,} of {len(vocabulary):,} values of the "
                f"vocabulary ({count / max(len(vocabulary), 1):.1%}) have one; "
                f"{len(table.values) - count:,} of the file's {len(table.values):,} are not in it."
            )

    def given_to(self, model: Scorer) -> Scorer:
        """Fills the vectors of an untrained model in, and gives it back."""
        if isinstance(model, GradientModel):
            for embedding in model.embeddings:
                for name, rows in embedding.pretrained.items():
                    vectors, known = self._found[name]
                    special = np.zeros((FIRST_VALUE_ID, vectors.shape[1]), np.float32)
                    rows.vectors.assign(np.concatenate([special, vectors]))
                    rows.known.assign(np.concatenate([special[:, 0], known.astype(np.float32)]))
        return model
