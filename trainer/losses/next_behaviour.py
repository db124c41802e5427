"""The loss by which an encoder's state is to tell what the user did next."""

from collections.abc import Mapping

import keras
from keras import ops
from pydantic import NonNegativeFloat

from mtlx.trainer.losses.loss import ROW_WEIGHTS, Loss
from mtlx.trainer.losses.parts import row_mean
from mtlx.transform.contract.model_inputs import TaskSpec


class NextBehaviour(Loss):
    """weight · mean over all rows of the auxiliary loss of DIEN (Zhou 2019), see `DIEN`.

    It comes on top of the cross-entropy of the labels, and belongs to no task: each task gets
    a T-th of it. The weight is the paper's α, which is 1 in the authors' code.

    Shown to learn:
        Which items belong together where labels are too few to say so: on 4,000 planted rows with
        400 items of twenty kinds, DIEN's best AUC of six epochs is 0.654 and 0.665 with it and
        0.518 and 0.519 without (two seeds; 0.708 is possible; `test_dien`).

    Args:
        tasks: the tasks.
        weight: of this loss against the others.
    """

    corrected_by_constant = True
    over_all_rows = True
    reads_labels = False

    def __init__(self, tasks: tuple[TaskSpec, ...], *, weight: NonNegativeFloat = 1.0):
        super().__init__()
        self.tasks, self.weight = len(tasks), weight

    def call(
        self,
        labels: keras.KerasTensor,
        outputs: Mapping[str, keras.KerasTensor],
        mask: keras.KerasTensor,
    ) -> keras.KerasTensor:
        """See `BinaryCrossEntropy`; reads "losses/next_behaviour" ``(B,)``.

        Raises:
            ValueError: the model gives no such losses.
        """
        if "losses/next_behaviour" not in outputs:
            raise ValueError(
                "the loss 'next_behaviour' needs a sequence encoder that gives "
                f"'losses/next_behaviour', such as 'dien'; the outputs are {sorted(outputs)}"
            )
        mean = row_mean(
            ops.cast(outputs["losses/next_behaviour"], "float32"), outputs.get(ROW_WEIGHTS)
        )
        return ops.broadcast_to(self.weight * mean / self.tasks, (self.tasks,))
