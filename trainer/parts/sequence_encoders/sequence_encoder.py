"""What all sequence encoders have in common."""

from typing import Any, ClassVar

import keras

from mtlx.trainer.layers.normalised import normalised
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs

#: Interests alone, or with what a loss of the encoder's own reads.
Interests = keras.KerasTensor | tuple[keras.KerasTensor, dict[str, keras.KerasTensor]]


class SequenceEncoder(keras.layers.Layer):
    """Base of the sequence encoders: from behaviour sequences to interests.

    Called with sequences (name to ``(B, L, k)``), masks (name to ``(B, L)`` bool, true at real
    positions) and target ``(B, k)`` or None, an encoder gives interests ``(B, M', k)``, or
    ``(B, T, M', k)`` where they are each task's own, or None where there is no sequence. Most
    give one interest per sequence, in the order of the inputs (M' = M); an encoder that does
    not says how many it gives. An empty sequence gives finite values and gradients.

    One whose `shares_behaviours` is true may be given sequences and masks of one row beside
    targets of B: a user's behaviours, and the items of one request. It computes once what does not
    depend on the target, and gives interests of B rows, or of one where none does.

    With `training`, one that has a loss of its own gives a pair: interests, and "losses/<name>"
    ``(B,)``, each row's, which that loss reads among the model's outputs.

    The registry builds an encoder with the sequences alone that its option `sequences` names.

    Args:
        inputs: sequences that it reads, tasks and target item.
        normalise: whether embeddings are brought to mean 0 and variance 1 before they are compared.

    Attributes:
        reads_sequences: whether it reads any.
        needs_target: whether it compares behaviours with the target item.
        task_specific: whether the interests are each task's own.
        normalises_interests: whether they come out of a layer normalisation, at a root mean square
            of about 1. Beside fields they then start at the fields' size: see `RankingModel`.
        target_place: where the target item stands among the positions that it attends to, 0 or
            -1; None where it is not among them.
        shares_behaviours: whether one row of behaviours may stand for all rows.
        default_losses: terms that are added to those of the network where `training.loss` names
            nothing.

    Raises:
        SettingsError: there are sequences but no target item to compare them with.
    """

    reads_sequences: ClassVar[bool] = True
    needs_target: ClassVar[bool] = False
    task_specific: ClassVar[bool] = False
    normalises_interests: ClassVar[bool] = False
    target_place: ClassVar[int | None] = None
    shares_behaviours: ClassVar[bool] = False
    default_losses: ClassVar[tuple[dict[str, Any], ...]] = ()

    def __init__(self, inputs: ModelInputs, normalise: bool = False):
        super().__init__()
        self.normalise = normalise
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

    def scaled(self, embeddings: keras.KerasTensor) -> keras.KerasTensor:
        """Embeddings ``(..., k)`` as they are compared: normalised, or as they are.

        Embeddings start small, at 0.01. What they are compared with, or added to, is not: the
        output of a normalisation has an RMS of 1, and a softmax of small scores is uniform. An
        encoder that does not normalise them is deaf until training has made them large.
        """
        return normalised(embeddings) if self.normalise else embeddings

    def spread(self, beside_normalised: float = 1.0) -> float:
        """Of vectors that are added to scaled embeddings, see `AddedEmbedding`.

        Beside normalised ones it is what the encoder says; beside others, what these start with.
        """
        return beside_normalised if self.normalise else 0.01

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`; those with weights of their own override it."""
