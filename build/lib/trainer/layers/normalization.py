"""What normalises between a dense layer and its activation, by the name of an option."""

from typing import Literal

import keras

from trainer.layers.parallel_batch_normalization import ParallelBatchNormalization
from trainer.layers.parallel_layer_normalization import ParallelLayerNormalization

#: Option `normalization` of the networks: in every hidden layer of experts, bottoms and towers.
Normalization = Literal["none", "batch", "layer"]


def normalization_layer(kind: Normalization, copies: int) -> keras.layers.Layer | None:
    """The layer for ``(B, copies, n)``, or None for ``none``."""
    if kind == "none":
        return None
    if kind == "batch":
        return ParallelBatchNormalization(copies)
    return ParallelLayerNormalization(copies)
