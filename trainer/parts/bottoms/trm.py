"""TRM: weighs every number of fields and interests anew for each task."""

from typing import ClassVar

import keras
from pydantic import PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.known_size import known_size
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense
from mtlx.trainer.parts.bottoms.bottom import Bottom, join
from mtlx.transform.contract.model_inputs import ModelInputs


class TRM(Bottom):
    """Task-specific representation refinement module (DTRN paper, Eq. 9).

    r_t = raw_t ⊙ σ(W2_t ReLU(W1_t raw_t)), where raw_t = [e_1 .. e_N, interest_t] is the flattened
    fields and interests, and each task has an MLP of its own. The MLPs have biases, as the paper's
    feed-forward networks do; the paper gives no width.

    Shown to learn:
        That a number counts for one task, and in some rows alone: where numbers are added up alike
        for all tasks, AUC 0.771 and 0.781 of the possible 0.771 and 0.779; 0.684 and 0.676 with
        weights alike for both tasks, 0.713 and 0.717 with weights alike for all rows
        (`test_trm_learns`).

    Args:
        inputs: the tasks.
        hidden: width of the MLPs' hidden layer.
    """

    task_specific: ClassVar[bool] = True

    def __init__(self, inputs: ModelInputs, *, hidden: PositiveInt = 128):
        super().__init__()
        self.refinement = Refinement(len(inputs.tasks), hidden)

    def call(
        self,
        fields: keras.KerasTensor,
        interests: keras.KerasTensor | None = None,
        training: bool = False,
    ) -> keras.KerasTensor:
        """Gives one wide field for each task: ``(B, T, 1, n)``. See Bottom."""
        return self.refinement(flatten(join(fields, interests)))[:, :, None]


class Refinement(keras.layers.Layer):
    """Eq. 9 for ``(B, n)`` or ``(B, T, n)``, to ``(B, T, n)``."""

    def __init__(self, tasks: int, hidden: int):
        super().__init__()
        self.tasks = tasks
        self.inner = ParallelDense(tasks, hidden, "relu")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the MLPs; n is known only here."""
        self.inner.build(input_shape)
        self.outer = ParallelDense(self.tasks, known_size(input_shape[-1]), "sigmoid")
        self.outer.build((None, self.tasks, self.inner.units))

    def call(self, raw: keras.KerasTensor) -> keras.KerasTensor:
        """Refines raw_t, or one raw for all tasks, to r_t of every task."""
        refine = self.outer(self.inner(raw))  # (B, T, n)
        return refine * (raw if len(raw.shape) == 3 else raw[:, None])
