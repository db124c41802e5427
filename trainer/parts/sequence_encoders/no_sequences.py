"""The encoder that leaves behaviour sequences out."""

from collections.abc import Mapping
from typing import ClassVar

import keras

from mtlx.trainer.parts.sequence_encoders.sequence_encoder import SequenceEncoder


class NoSequences(SequenceEncoder):
    """No interests: the model sees the scalar features only.

    Args:
        inputs: not used.
    """

    reads_sequences: ClassVar[bool] = False

    def call(
        self,
        sequences: Mapping[str, keras.KerasTensor],
        masks: Mapping[str, keras.KerasTensor],
        target: keras.KerasTensor | None = None,
        training: bool = False,
    ) -> None:
        """Returns None."""
        return None
