"""Task experts and shared experts in levels of extraction."""

from collections.abc import Sequence
from typing import Annotated

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.gate import Gate, expert_groups, mix
from mtlx.trainer.layers.gate_outputs import contributions, gate_outputs
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.network import Network
from mtlx.transform.contract.model_inputs import ModelInputs


class ExtractionLevel(keras.layers.Layer):
    """One level of customised gate control (CGC): experts in T + 1 groups, and their gates.

    Shapes: ``(B, n)`` at the first level, ``(B, T + 1, n)`` after, the groups' inputs (tasks
    first, the shared group last), to mixes ``(B, G, h)``, gate weights and the experts'
    contributions, both ``(B, G, experts)``; G is T at the last level and T + 1 before.

    Args:
        tasks: T.
        task_experts: n_t, experts of each task.
        shared_experts: n_s.
        hidden: widths of each expert's layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
        last: whether no level follows, so that no shared mix is needed.
    """

    def __init__(
        self,
        tasks: int,
        task_experts: int,
        shared_experts: int,
        hidden: Sequence[int],
        dropout: float,
        last: bool,
        normalization: Normalization = "none",
    ):
        super().__init__()
        self.group_of_expert, self.visible = expert_groups(
            tasks, task_experts, shared_experts, last
        )
        count = len(self.group_of_expert)
        self.experts = ParallelMLP(count, hidden, dropout, normalization=normalization)
        self.gate = Gate(self.visible)

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`: the parts make the weights."""

    def call(
        self, inputs: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """Mixes of the groups' inputs, with gate weights and the experts' contributions."""
        expert_inputs = gate_inputs = inputs
        runs = None
        if len(inputs.shape) == 3:
            expert_inputs = ops.unstack(inputs, axis=1)
            runs = np.bincount(self.group_of_expert).tolist()
            gate_inputs = expert_inputs[: self.visible.shape[0]]
        weights = self.gate(gate_inputs)
        experts = self.experts(expert_inputs, training=training, runs=runs)  # (B, E, h)
        return mix(weights, experts), weights, contributions(weights, experts)


class PLE(Network):
    """Progressive layered extraction (Tang et al. 2020); with one level it is CGC.

    Task t's gate is a softmax over its own and the shared experts, fed with task t's input. Every
    level but the last also has a shared gate over all experts. Gates have a bias.

    Shown to learn:
        What clicks tell a task of few rows: 0.035 and 0.017 over `single_task` on `transfer`; on
        `cross` it gains nothing. AUC 0.853 and 0.847 of the possible 0.861 on `own_rules`, 0.754
        and 0.767 of the possible 0.792 on `small_domain`, 0.739 and 0.719 of the possible 0.790 on
        `transfer`, 0.650 and 0.694 of the possible 0.801 on `cross` (`benchmarks.planted_networks`;
        seeds 1 and 2).

    Args:
        inputs: the tasks.
        levels: number of levels.
        task_experts: n_t, experts of each task and level.
        shared_experts: n_s, shared experts of each level.
        expert_hidden: widths of each expert's layers.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        levels: PositiveInt = 2,
        task_experts: PositiveInt = 2,
        shared_experts: PositiveInt = 2,
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
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
        self.extraction = [
            ExtractionLevel(
                tasks,
                task_experts,
                shared_experts,
                expert_hidden,
                dropout,
                last=level == levels - 1,
                normalization=normalization,
            )
            for level in range(levels)
        ]
        self.towers = Towers(tasks, tower_hidden, dropout, normalization)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` to "logits" ``(B, T)`` and, of each task's gate, the outputs.

        The gates are those of the last level, ``(B, n_t + n_s)``.
        """
        mixed = flatten(fields)
        for level in self.extraction:
            mixed, weights, shares = level(mixed, training=training)
        gates = {task: [index] for index, task in enumerate(self.gate_names)}
        return {
            "logits": self.towers(mixed, training=training),
            **gate_outputs(gates, weights, shares, self.extraction[-1].visible),
        }
