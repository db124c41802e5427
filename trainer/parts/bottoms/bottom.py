"""What all bottoms have in common."""

from typing import ClassVar

import keras
from keras import ops


class Bottom(keras.layers.Layer):
    """Base of the bottoms: from fields and interests to the network's input.

    Called with fields ``(B, F, k)``, interests ``(B, M, k)``, ``(B, T, M, k)`` or None, and
    `training`, a bottom gives ``(B, F', k')``, or ``(B, T, F', k')`` where every task has an
    input of its own.

    Attributes:
        task_specific: whether it makes an input for every task out of common ones.
    """

    task_specific: ClassVar[bool] = False

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`; those with weights of their own override it."""


def join(fields: keras.KerasTensor, interests: keras.KerasTensor | None) -> keras.KerasTensor:
    """Interests as further fields: ``(B, F + M, k)``, or ``(B, T, F + M, k)`` for tasks' own."""
    if interests is None:
        return fields
    if len(interests.shape) == 4:
        fields = ops.repeat(fields[:, None], interests.shape[1], axis=1)
    return ops.concatenate([fields, interests], axis=-2)
