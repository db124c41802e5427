"""The loss of the heads that are there for the training alone."""

from collections.abc import Mapping

import keras
from pydantic import NonNegativeFloat

from mtlx.trainer.losses.binary_cross_entropy import BinaryCrossEntropy
from mtlx.trainer.losses.loss import Loss
from mtlx.transform.contract.model_inputs import TaskSpec


class SmallHeadsLoss(Loss):
    """L_t = weight · mean over t's population of BCE(y_t, σ(auxiliary logit_t)) (Wang Y. 2022).

    It comes on top of the binary cross-entropy of the logits themselves.

    Shown to learn:
        A bottom that holds more of what is common to tasks: linear models of 200 rows on it reach
        AUC 0.828 and 0.828 (two seeds) at weight 1 and 0.809 and 0.797 at weight 0
        (`test_small_heads_learn`).

    Args:
        tasks: the tasks.
        weight: of this loss against the others.
    """

    corrected_by_constant = True

    def __init__(self, tasks: tuple[TaskSpec, ...], *, weight: NonNegativeFloat = 1.0):
        super().__init__()
        self.weight = weight
        self.cross_entropy = BinaryCrossEntropy(tasks)

    def call(
        self,
        labels: keras.KerasTensor,
        outputs: Mapping[str, keras.KerasTensor],
        mask: keras.KerasTensor,
    ) -> keras.KerasTensor:
        """See `BinaryCrossEntropy`; reads "auxiliary_logits" ``(B, T)``.

        Raises:
            ValueError: the model gives no auxiliary logits.
        """
        if "auxiliary_logits" not in outputs:
            raise ValueError(
                "the loss 'small_heads' needs a network that gives 'auxiliary_logits', such as "
                f"'small_heads'; the outputs are {sorted(outputs)}"
            )
        logits = {"logits": outputs["auxiliary_logits"]}
        return self.weight * self.cross_entropy(labels, logits, mask)
