"""Information handed along the chain of tasks by attention."""

from typing import Annotated, Any, ClassVar

import keras
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.attention.pair_attention import PairAttention
from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.parallel_dense import ParallelDense
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.told import REPRESENTATION, tell
from mtlx.trainer.networks.network import DEFAULT_LOSSES, Network
from mtlx.trainer.task_tree import levels, preceding
from mtlx.transform.contract.model_inputs import ModelInputs


class AITM(Network):
    """Adaptive information transfer multi-task network (Xi et al. 2021).

    - q_t = MLP_t(x_t), task t's tower on its own input.
    - A task without preceding task has z_t = q_t. For a task after u: p = g_t(z_u), one linear
      layer with ReLU, and z_t = Σ_{v in {p, q_t}} w_v h1(v), with w the softmax of
      <h2(v), h3(v)> / √k; h1, h2 and h3 are linear maps without bias.
    - Logit t is a linear layer on z_t.

    The paper has a chain; in a tree each task has an information unit g_t of its own. The
    default losses are the cross-entropy and the paper's calibrator, which has nothing to say of
    a task whose population is the task before it.

    Shown to learn:
        What the preceding task knows and a task's own input does not hold: on such planted rows
        its AUC is 0.861 of the possible 0.863, and 0.5 where no task comes before it.

    Args:
        inputs: the tasks (`after` makes the chain, or tree).
        tower_hidden: widths of the MLPs that give q_t; the last is k.
        shared_attention: one h1, h2, h3 for all steps of the chain. Off, because what a task
            can use of the one before it differs from step to step, and maps of each step's own
            can learn that; on, it is as in the authors' code, which has fewer weights. A chain
            of two tasks has one step and knows no difference.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    takes_task_inputs = True
    default_losses: ClassVar[tuple[dict[str, Any], ...]] = (
        *DEFAULT_LOSSES,
        {"name": "behavioural_expectation_calibrator"},
    )

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        tower_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (128, 64, 32),
        shared_attention: bool = False,
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        tasks, width = len(inputs.tasks), tower_hidden[-1]
        self.preceding = preceding(inputs.tasks)
        self.levels = levels(self.preceding)
        self.towers = ParallelMLP(tasks, tower_hidden, dropout, normalization=normalization)
        later = self.levels[1:]
        self.information = [
            ParallelMLP(len(level), [width], dropout, normalization=normalization)
            for level in later
        ]
        self.shared_attention = shared_attention
        copies = [1] * bool(later) if shared_attention else [len(level) for level in later]
        self.attention = [PairAttention(number, width, use_bias=False) for number in copies]
        self.output_layer = ParallelDense(tasks, 1)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, [T,] F, k)`` to "logits" ``(B, T)``; each tower reads its own task's."""
        own = self.towers(flatten(fields), training=training)  # (B, T, k)
        states: dict[int | None, keras.KerasTensor] = {
            task: own[:, task] for task in self.levels[0]
        }
        for step, (level, information) in enumerate(
            zip(self.levels[1:], self.information, strict=True)
        ):
            before = ops.stack([states[self.preceding[task]] for task in level], axis=1)
            carried = information(before, training=training)  # (B, tasks of the level, k)
            mixed = self._attend(step, carried, ops.take(own, level, axis=1))
            states.update({task: mixed[:, place] for place, task in enumerate(level)})
        joined = ops.stack([states[task] for task in range(len(self.preceding))], axis=1)
        tell(REPRESENTATION, joined)
        return {"logits": self.output_layer(joined)[:, :, 0]}

    def _attend(
        self, step: int, carried: keras.KerasTensor, own: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Both ``(B, n, k)`` to ``(B, n, k)``; a shared unit sees the n tasks as rows."""
        if not self.shared_attention:
            return self.attention[step](carried, own)
        tasks, width = own.shape[1:]
        rows = [ops.reshape(values, (-1, 1, width)) for values in (carried, own)]
        return ops.reshape(self.attention[0](*rows), (-1, tasks, width))
