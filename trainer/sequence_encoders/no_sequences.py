"""Leaves the behaviour sequences out."""

import keras

from transform.model_inputs import ModelInputs


class NoSequences(keras.layers.Layer):
    """Ignores all sequences, to measure what they are worth.

    Args:
        inputs: what the model is built from.
    """

    def __init__(self, inputs: ModelInputs) -> None:
        super().__init__()
        del inputs

    def call(
        self,
        sequences: dict[str, keras.KerasTensor],
        masks: dict[str, keras.KerasTensor],
        target: keras.KerasTensor | None,
    ) -> None:
        """No interests."""
        del sequences, masks, target
