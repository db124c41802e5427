"""What normalises between a dense layer and its activation, by the name of an option."""

from typing import Literal

import keras

from mtlx.trainer.layers.domain.domain_batch_normalization import DomainBatchNormalization
from mtlx.trainer.layers.domain.domain_layer_normalization import DomainLayerNormalization
from mtlx.trainer.layers.parallel.parallel_batch_normalization import ParallelBatchNormalization
from mtlx.trainer.layers.parallel.parallel_layer_normalization import ParallelLayerNormalization

#: Option `normalization` of the networks: in every hidden layer of experts, bottoms and towers.
Normalization = Literal["none", "batch", "layer"]


def normalization_layer(kind: Normalization, copies: int) -> keras.layers.Layer | None:
    """The layer for ``(B, copies, n)``, or None for ``none``."""
    if kind == "none":
        return None
    if kind == "batch":
        return ParallelBatchNormalization(copies)
    return ParallelLayerNormalization(copies)


def domain_normalization_layer(kind: Normalization, domains: int) -> keras.layers.Layer | None:
    """The layer for what each domain has weights of its own for, or None for ``none``."""
    if kind == "none":
        return None
    if kind == "batch":
        return DomainBatchNormalization(domains)
    return DomainLayerNormalization(domains)
