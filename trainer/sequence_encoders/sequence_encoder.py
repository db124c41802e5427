"""What all sequence encoders have in common."""

from typing import ClassVar

import keras

from transform.model_inputs import ModelInputs
from transform.settings import SettingsError


class SequenceEncoder(keras.layers.Layer):
    """Base of the sequence encoders: from behaviour sequences to interests.

    Called with sequences (name to ``(B, L, k)``), masks (name to ``(B, L)`` bool, true at real
    positions) and target ``(B, k)`` or None, an encoder gives interests ``(B, M', k)``, or
    ``(B, T, M', k)`` where they are each task's own, or None where there is no sequence. Most
    give one interest per sequence, in the order of the inputs (M' = M); an encoder that does
    not says how many it gives. An empty sequence gives finite values and gradients.

    The registry builds an encoder with the sequences alone that its option `sequences` names.

    Args:
        inputs: sequences that it reads, tasks and target item.

    Attributes:
        reads_sequences: whether it reads any.
        needs_target: whether it compares behaviours with the target item.
        task_specific: whether the interests are each task's own.

    Raises:
        SettingsError: there are sequences but no target item to compare them with.
    """

    reads_sequences: ClassVar[bool] = True
    needs_target: ClassVar[bool] = False
    task_specific: ClassVar[bool] = False

    def __init__(self, inputs: ModelInputs):
        super().__init__()
        self.sequence_names = [sequence.name for sequence in inputs.sequences]
        if self.needs_target and self.sequence_names and inputs.target_item is None:
            raise SettingsError(
                [
                    (
                        ("sequence_encoder",),
                        f"{type(self).__name__} compares each behaviour with the item that is "
                        "ranked: name that feature as 'target_item'",
                    )
                ]
            )

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`; those with weights of their own override it."""
