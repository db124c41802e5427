"""Mean pooling of behaviour sequences."""

import keras
from keras import ops

from trainer.layers.masked_mean import masked_mean
from transform.model_inputs import ModelInputs


class MeanPooling(keras.layers.Layer):
    """The mean of each sequence's item embeddings (YouTubeNet, Covington et al. 2016).

    Args:
        inputs: what the model is built from.
    """

    def __init__(self, inputs: ModelInputs) -> None:
        super().__init__()
        self.names = [sequence.name for sequence in inputs.sequences]

    def call(
        self,
        sequences: dict[str, keras.KerasTensor],
        masks: dict[str, keras.KerasTensor],
        target: keras.KerasTensor | None,
    ) -> keras.KerasTensor | None:
        """Sequences ``(B, L, k)`` by name → interests ``(B, M, k)``, None where M is 0."""
        del target  # The mean does not depend on the item that is ranked.
        if not self.names:
            return None
        return ops.stack([masked_mean(sequences[name], masks[name]) for name in self.names], axis=1)
