"""What whoever serves, measures or compares a model may ask of it, however it was learnt."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import keras


class Scorer(Protocol):
    """A model that scores: trees, networks, arrangements of networks.

    Validation, export and whatever comes after it (evaluation, gate) know a model by this alone.
    What a training asks besides is the training method's matter: see
    `mtlx.trainer.model.gradient_model.GradientModel` for the methods that follow gradients.
    """

    @property
    def variables(self) -> Sequence[keras.Variable]:
        """All that was learnt, always in the same order."""

    def __call__(
        self, features: Mapping[str, keras.KerasTensor], training: bool = False
    ) -> Mapping[str, keras.KerasTensor]:
        """Scores transformed features by name.

        Returns:
            "logits" and "probabilities" ``(B, T)`` float32 in the order of the tasks, "domain_id"
            ``(B,)``, and what else the model tells.
        """

    def drop_training_parts(self) -> None:
        """Drops what only the training needs; called once, before the model is exported."""
