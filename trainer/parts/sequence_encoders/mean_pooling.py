"""Mean pooling of behaviour sequences."""

from collections.abc import Mapping
from typing import ClassVar

import keras
from keras import ops

from mtlx.trainer.layers.attention.masked_mean import masked_mean
from mtlx.trainer.parts.sequence_encoders.sequence_encoder import SequenceEncoder


class MeanPooling(SequenceEncoder):
    """The mean of each sequence's embeddings: the sequence part of YouTubeNet (Covington 2016).

    It is registered under both names, `mean_pooling` and `youtube_net`.

    Shown to learn:
        Which items are in a sequence, neither in what order nor which of them is the target: on
        planted rows whose best possible AUC is 0.702 it ends at 0.655 after five epochs
        (`benchmarks.sequence_encoders`), and it is what the encoders that tell the last behaviour
        or the target are measured against (`test_order`, `test_target`).

    Args:
        inputs: the sequences.
    """

    shares_behaviours: ClassVar[bool] = True

    def call(
        self,
        sequences: Mapping[str, keras.KerasTensor],
        masks: Mapping[str, keras.KerasTensor],
        target: keras.KerasTensor | None = None,
        training: bool = False,
    ) -> keras.KerasTensor | None:
        """Encodes one batch.

        Args:
            sequences: name to ``(B, L, k)``.
            masks: name to ``(B, L)`` bool, true at real positions.
            target: ``(B, k)`` or None; not used.
            training: not used.

        Returns:
            Interests ``(B, M, k)``, one per sequence; None where there is no sequence. An empty
            sequence gives zeros.
        """
        if not self.sequence_names:
            return None
        means = [masked_mean(sequences[name], masks[name]) for name in self.sequence_names]
        return ops.stack(means, axis=1)
