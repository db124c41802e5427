"""Experts shared by all tasks, a gate per task."""

from typing import Annotated

import keras
import numpy as np
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.gate import Gate, mix
from mtlx.trainer.layers.gate_outputs import contributions, gate_outputs
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.network import Network
from mtlx.transform.contract.model_inputs import ModelInputs


class MMoE(Network):
    """Multi-gate mixture of experts (Ma et al. 2018): f_t = Σ_i g_t,i(x) E_i(x).

    A gate is one linear layer (with bias) and a softmax over the flattened fields.

    Shown to learn:
        What clicks tell a task of few rows, 0.013 and 0.025 over `single_task` on `transfer`; on
        the other logs it is as good as Shared-Bottom, within what two seeds differ. AUC 0.852 and
        0.850 of the possible 0.861 on `own_rules`, 0.765 and 0.766 of the possible 0.792 on
        `small_domain`, 0.717 and 0.727 of the possible 0.790 on `transfer`, 0.680 and 0.661 of the
        possible 0.801 on `cross` (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: the tasks.
        experts: number of experts.
        expert_hidden: widths of each expert's layers.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    #: Whether every task has a gate of its own; else all share one.
    gate_per_task = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        experts: PositiveInt = 8,
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        names = [f"expert_{index}" for index in range(experts)]
        self.gate_names = {task.name: names for task in inputs.tasks}
        self.experts = ParallelMLP(experts, expert_hidden, dropout, normalization=normalization)
        gates = len(inputs.tasks) if self.gate_per_task else 1
        self.gate = Gate(np.ones((gates, experts), dtype=bool))
        self.towers = Towers(len(inputs.tasks), tower_hidden, dropout, normalization)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` to "logits" ``(B, T)`` and, of gates, outputs ``(B, experts)``."""
        flat = flatten(fields)
        weights = self.gate(flat)  # (B, T or 1, E)
        experts = self.experts(flat, training=training)  # (B, E, h)
        mixed = mix(weights, experts)  # (B, T or 1, h)
        if not self.gate_per_task:
            mixed = mixed[:, 0]
        gates = {
            task: [index if self.gate_per_task else 0] for index, task in enumerate(self.gate_names)
        }
        return {
            "logits": self.towers(mixed, training=training),
            **gate_outputs(gates, weights, contributions(weights, experts)),
        }
