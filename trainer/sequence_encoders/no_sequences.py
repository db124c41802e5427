"""The encoder that leaves behaviour sequences out."""

from collections.abc import Mapping

import keras

from transform.model_inputs import ModelInputs


class NoSequences(keras.layers.Layer):
    """No interests: the model sees the scalar features only.

    Args:
        inputs: not used.
    """

    def __init__(self, inputs: ModelInputs):
        super().__init__()

    def call(
        self,
        sequences: Mapping[str, keras.KerasTensor],
        masks: Mapping[str, keras.KerasTensor],
        target: keras.KerasTensor | None = None,
    ) -> None:
        """Returns None."""
        return None
