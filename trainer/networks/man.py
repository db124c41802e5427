"""Task and shared experts, and attention between adjacent tasks."""

from typing import Annotated, Any, ClassVar

import keras
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.attention.pair_attention import PairAttention
from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.gate_outputs import gate_outputs
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.network import Network
from mtlx.trainer.networks.ple import ExtractionLevel
from mtlx.trainer.task_tree import levels, preceding
from mtlx.transform.contract.model_inputs import ModelInputs


class MAN(Network):
    """Multi-task attention network (MAN paper, Section 3.2).

    - x_t = Σ_i g_t,i E_i over task t's own experts and the shared ones: one level of CGC.
    - For a task j after task i: C_ij = at(x_i ‖ x_j). The attention weighs what comes from task
      i and task j's own x_j by softmax(<Q(u), K(u)> / √k) and adds V(u) of both; Q, K and V are
      linear maps with a bias. C_ij takes the place of x_j, before j's tower and for tasks
      after j. A task without preceding task keeps x_t.

    The paper does not write `at` out; its words are those of AITM's unit, which is taken here.
    Nor does it say what depth the projections have. Its experiments have two tasks; in a tree
    each task is adjacent to the one that it comes after. The default loss is the paper's
    uncertainty weighting, the default training method its meta-learning ("without meta":
    `training.method: standard`).

    Shown to learn:
        The attention hands on what the preceding task's representation holds and a task's own does
        not: AUC 0.861 of the possible 0.863 on planted rows, and 0.5 where no task comes before it.
        It tells the two apart by what they hold, so they must not look alike: then 0.752. Steps of
        its meta-learning are behind as many ordinary ones (0.712 and 0.713 against 0.720 and 0.735
        on `transfer`, see method ``meta``): each task has a tower, and needs no step of its own.

    Args:
        inputs: the tasks (`after` makes the chain, or tree).
        task_experts: experts of each task.
        shared_experts: experts that all tasks share.
        expert_hidden: widths of each expert's layers.
        tower_hidden: widths of each tower's hidden layers.
        attention: False leaves the attention out (the paper's "without att").
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    default_losses: ClassVar[tuple[dict[str, Any], ...]] = ({"name": "uncertainty_weighting"},)
    default_method = "meta"

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        task_experts: PositiveInt = 4,
        shared_experts: PositiveInt = 4,
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        tower_hidden: tuple[PositiveInt, ...] = (128, 16, 32),
        attention: bool = True,
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        tasks = len(inputs.tasks)
        self.gate_names = {
            task.name: [f"{task.name}/expert_{index}" for index in range(task_experts)]
            + [f"shared/expert_{index}" for index in range(shared_experts)]
            for task in inputs.tasks
        }
        self.extraction = ExtractionLevel(
            tasks,
            task_experts,
            shared_experts,
            expert_hidden,
            dropout,
            last=True,
            normalization=normalization,
        )
        self.preceding = preceding(inputs.tasks) if attention else [None] * tasks
        self.levels = levels(self.preceding)
        self.attention = [PairAttention(len(level), expert_hidden[-1]) for level in self.levels[1:]]
        self.towers = Towers(tasks, tower_hidden, dropout, normalization)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` to "logits" ``(B, T)`` and, of gates, ``(B, n_t + n_s)``."""
        mixed, weights, shares = self.extraction(flatten(fields), training=training)  # (B, T, h)
        states: dict[int | None, keras.KerasTensor] = {
            task: mixed[:, task] for task in self.levels[0]
        }
        for level, attention in zip(self.levels[1:], self.attention, strict=True):
            before = ops.stack([states[self.preceding[task]] for task in level], axis=1)
            joined = attention(before, ops.take(mixed, level, axis=1))
            states.update({task: joined[:, place] for place, task in enumerate(level)})
        representations = ops.stack([states[task] for task in range(len(self.preceding))], axis=1)
        gates = {task: [index] for index, task in enumerate(self.gate_names)}
        return {
            "logits": self.towers(representations, training=training),
            **gate_outputs(gates, weights, shares, self.extraction.visible),
        }
