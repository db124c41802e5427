"""Cross-entropy of the joint probabilities along the chain of tasks, over all rows."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from mtlx.trainer.losses.loss import COUNTED_LABELS, Loss
from mtlx.trainer.losses.parts import Smoothing, Towards, population_mean, row_mean, smoothed
from mtlx.trainer.model.scores import clipped
from mtlx.trainer.task_tree import ancestry
from mtlx.transform.contract.model_inputs import TaskSpec


class EntireSpaceCrossEntropy(Loss):
    """L_t = (1/B) Σ_i BCE(Π_u y_iu, j_it), the loss of ESMM (Ma et al. 2018).

    j is the joint probability of t and of all tasks u before it, and its label the product of
    their labels: a purchase without a click, should the log have one, is no click and purchase.
    Every impression counts, whatever the task's population is; a conditional probability has
    no loss of its own. Where labels are not known at once (`matures_after`), a task's impressions
    are those whose label is: a label is never known before those on its path.

    Shown to learn:
        ESMM's conversion, which has no loss of its own: AUC 0.851 and 0.852 (two seeds) of the
        possible 0.854 on clicked rows, mean prediction 0.490 and 0.511 where 0.494 are bought
        (`test_losses_learn`).

    Args:
        tasks: the tasks (`after` makes the chain, or tree).
        label_smoothing: s of joint labels (1 − s) y + s q. It changes what the probabilities are,
            see `mtlx.trainer.losses.parts.smoothed`.
        smooth_towards: q: ``half`` for 1/2, or ``base_rate``, which keeps the mean prediction.
    """

    over_all_rows = True
    beside_regressions = False

    def __init__(
        self,
        tasks: tuple[TaskSpec, ...],
        *,
        label_smoothing: Smoothing = 0.0,
        smooth_towards: Towards = "half",
    ):
        super().__init__()
        self.smoothing, self.towards = label_smoothing, smooth_towards
        self.joint = ancestry(tasks, "after")
        self.lengths = np.sum(self.joint, axis=1)

    def call(
        self,
        labels: keras.KerasTensor,
        outputs: Mapping[str, keras.KerasTensor],
        mask: keras.KerasTensor,
    ) -> keras.KerasTensor:
        """Mean loss of each task over all rows.

        Args:
            labels: ``(B, T)`` float, 0 or 1.
            outputs: of the model: "joint_probabilities" ``(B, T)``; beside them `COUNTED_LABELS`.
            mask: is not read.

        Returns:
            ``(T,)`` float32.

        Raises:
            ValueError: the model gives no joint probabilities.
        """
        if "joint_probabilities" not in outputs:
            raise ValueError(
                "entire_space_cross_entropy needs a network that gives joint probabilities "
                f"(esmm) in arrangement 'joint' or 'mtl'; the outputs are {sorted(outputs)}"
            )
        happened = ops.matmul(ops.cast(labels, "float32"), self.joint.T)  # of the path's labels
        joint_labels = ops.cast(happened > self.lengths - 0.5, "float32")
        counted = outputs.get(COUNTED_LABELS)
        every_row = ops.ones_like(joint_labels) if counted is None else counted
        joint_labels = smoothed(joint_labels, every_row, self.smoothing, self.towards)
        probabilities = clipped(outputs["joint_probabilities"])
        losses = joint_labels * ops.log(probabilities)
        losses = losses + (1.0 - joint_labels) * ops.log1p(-probabilities)
        return -(row_mean(losses) if counted is None else population_mean(losses, counted))
