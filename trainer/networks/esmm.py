"""Conditional probabilities along the chain of tasks, trained over all impressions."""

from typing import Annotated, Any, ClassVar

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.network import Network
from mtlx.trainer.task_tree import ancestry
from mtlx.transform.contract.model_inputs import ModelInputs


class ESMM(Network):
    """Entire space multi-task model (Ma et al. 2018): pCTCVR = pCTR · pCVR.

    A tower per task on the flattened fields, which all share, gives the logit z_t of the
    conditional c_t = σ(z_t), the probability of t where the task before it has happened:

    - joint probability j_t = Π_u c_u over t and all tasks before it; a first task's is c_t.
    - served probability p_t = j_t, or j_t / j_v for a task with population v that lies before
      it; for v = `after` that is c_t, the paper's pCVR.

    The default loss is the cross-entropy of the joint probabilities over all rows, so a
    conditional has no loss of its own and is never trained on clicked rows alone. With losses
    that follow the population instead, it is no ESMM. The paper has click and conversion; any
    chain or tree is the same along each path.

    Shown to learn:
        A conversion without a loss of its own: AUC 0.851 and 0.852 of the possible 0.854 on clicked
        rows (`test_losses_learn`). On `transfer` its two seeds are far apart, one far above and one
        below `single_task`: it is not shown to gain there. AUC 0.853 and 0.841 of the possible
        0.861 on `own_rules`, 0.767 and 0.771 of the possible 0.792 on `small_domain`, 0.755 and
        0.673 of the possible 0.790 on `transfer`, 0.673 and 0.688 of the possible 0.801 on `cross`
        (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: the tasks.
        tower_hidden: widths of each tower's hidden layers; the paper's by default.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    takes_task_inputs = True
    takes_regressions = False
    takes_correction = False
    default_losses: ClassVar[tuple[dict[str, Any], ...]] = ({"name": "entire_space_cross_entropy"},)

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        tower_hidden: tuple[PositiveInt, ...] = (360, 200, 80),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        self.towers = Towers(len(inputs.tasks), tower_hidden, dropout, normalization)
        self.joint = ancestry(inputs.tasks, "after")
        self.served = _served(inputs, self.joint)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, [T,] F, k)`` to "probabilities" and "joint_probabilities" ``(B, T)``.

        Both are float32. Inputs of each task's own go to its own tower.
        """
        logits = self.towers(flatten(fields), training=training)
        # Products of conditionals are sums of logarithms: one contraction for all paths.
        logarithms = ops.log_sigmoid(ops.cast(logits, "float32"))  # (B, T)
        return {
            "probabilities": ops.exp(ops.matmul(logarithms, self.served.T)),
            "joint_probabilities": ops.exp(ops.matmul(logarithms, self.joint.T)),
        }


def _served(inputs: ModelInputs, joint: np.ndarray) -> np.ndarray:
    """Row t: 1 for each task whose conditional is a factor of t's served probability."""
    rows = joint.copy()
    for index, task in enumerate(inputs.tasks):
        population = None if task.population is None else inputs.task_index(task.population)
        if population is not None and joint[index, population]:
            rows[index] -= joint[population]
    return rows
