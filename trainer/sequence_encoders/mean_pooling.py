"""Mean pooling of behaviour sequences."""

from collections.abc import Mapping

import keras
from keras import ops

from trainer.layers.masked_mean import masked_mean
from transform.model_inputs import ModelInputs


class MeanPooling(keras.layers.Layer):
    """The mean of each sequence's embeddings, as in YouTubeNet (Covington 2016).

    Args:
        inputs: the sequences.
    """

    def __init__(self, inputs: ModelInputs):
        super().__init__()
        self.sequence_names = [sequence.name for sequence in inputs.sequences]

    def call(
        self,
        sequences: Mapping[str, keras.KerasTensor],
        masks: Mapping[str, keras.KerasTensor],
        target: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor | None:
        """Encodes one batch.

        Args:
            sequences: name to ``(B, L, k)``.
            masks: name to ``(B, L)`` bool, true at real positions.
            target: ``(B, k)`` or None; not used.

        Returns:
            Interests ``(B, M, k)``, one per sequence; None where there is no sequence. An empty
            sequence gives zeros.
        """
        if not self.sequence_names:
            return None
        means = [masked_mean(sequences[name], masks[name]) for name in self.sequence_names]
        return ops.stack(means, axis=1)
