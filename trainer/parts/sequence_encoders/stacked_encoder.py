"""What the encoders that handle all sequences in one batched pass have in common."""

from collections.abc import Mapping
from typing import ClassVar

import keras
from keras import ops

from mtlx.trainer.parts.sequence_encoders.sequence_encoder import Interests, SequenceEncoder
from mtlx.transform.contract.model_inputs import ModelInputs


class StackedEncoder(SequenceEncoder):
    """Base of the encoders that read all sequences as one tensor and compare with the target.

    A subclass implements `encode`. Sequences shorter than the longest are padded to its length.

    Args:
        inputs: sequences, tasks and target item.
        normalise: see `SequenceEncoder`.
    """

    needs_target: ClassVar[bool] = True

    def __init__(self, inputs: ModelInputs, normalise: bool = True):
        super().__init__(inputs, normalise)

    def call(
        self,
        sequences: Mapping[str, keras.KerasTensor],
        masks: Mapping[str, keras.KerasTensor],
        target: keras.KerasTensor | None = None,
        training: bool = False,
    ) -> Interests | None:
        """Encodes one batch, see `SequenceEncoder`; None where there is no sequence."""
        if not self.sequence_names:
            return None
        values, mask = self._stack(sequences, masks)
        return self.encode(values, mask, target, training)

    def encode(
        self,
        values: keras.KerasTensor,
        mask: keras.KerasTensor,
        target: keras.KerasTensor,
        training: bool,
    ) -> Interests:
        """Interests from stacked sequences.

        Args:
            values: ``(B, M, L, k)``.
            mask: ``(B, M, L)`` bool, true at real positions.
            target: ``(B, k)``.
            training: whether dropout is on.

        Returns:
            Interests as `SequenceEncoder` promises them.
        """
        raise NotImplementedError

    def _stack(
        self, sequences: Mapping[str, keras.KerasTensor], masks: Mapping[str, keras.KerasTensor]
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        length = max(sequences[name].shape[1] for name in self.sequence_names)
        values, real = [], []
        for name in self.sequence_names:
            missing = length - sequences[name].shape[1]
            own, mask = sequences[name], masks[name]
            if missing:
                own = ops.pad(own, ((0, 0), (0, missing), (0, 0)))
                mask = ops.cast(ops.pad(ops.cast(mask, "int32"), ((0, 0), (0, missing))), "bool")
            values.append(own)
            real.append(mask)
        return ops.stack(values, axis=1), ops.stack(real, axis=1)


def repeated(values: keras.KerasTensor, times: int) -> keras.KerasTensor:
    """``(B, C, ...)`` to ``(B, times · C, ...)``: all C, then all C again."""
    # `ops.tile` forgets all sizes where the number of rows is not known, as in the export.
    return ops.concatenate([values] * times, axis=1)
