"""Fusion of all tasks' experts, level by level, beside a task's own ones."""

from collections.abc import Sequence
from typing import Annotated

import keras
import numpy as np
from keras import ops
from pydantic import Field, NonNegativeInt, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.gate import Gate, mix
from mtlx.trainer.layers.gate_outputs import contributions, gate_outputs
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.networks.network import Network
from mtlx.transform.contract.model_inputs import ModelInputs


class FusionLevel(keras.layers.Layer):
    """One level of AdaTT: experts in modules, and a fusion per module.

    f_m = Σ_e (g_m,e + v_m,e) E_e. g_m is a softmax gate on module m's input over the experts of
    all modules (AllExpertGF); v_m,e is a trainable number for m's own experts, and 0 for others
    (NativeExpertLF). Where every module has a single expert, v is fixed at 1.

    Shapes: ``(B, n)`` at the first level, ``(B, modules, n)`` after, to fusions ``(B, G, h)``,
    gate weights and, with v, the experts' contributions, both ``(B, G, experts)``.

    Args:
        module_of_expert: the module that each expert belongs to.
        fusions: G, the modules 0 to G - 1 that are fused.
        hidden: widths of each expert's layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    def __init__(
        self,
        module_of_expert: np.ndarray,
        fusions: int,
        hidden: Sequence[int],
        dropout: float,
        normalization: Normalization = "none",
    ):
        super().__init__()
        self.module_of_expert = module_of_expert
        self.fusions = fusions
        # The experts of a module that is not fused are nobody's own ones.
        self.fused_experts = int(np.sum(module_of_expert < fusions))
        self.own = np.equal.outer(np.arange(fusions), module_of_expert)  # (G, E)
        self.experts = ParallelMLP(
            len(module_of_expert), hidden, dropout, normalization=normalization
        )
        self.gate = Gate(np.ones((fusions, len(module_of_expert)), dtype=bool))

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates v, ``(experts of fused modules,)``, uniform within ±1/√n of the module's n."""
        self.native = None
        sizes = np.bincount(self.module_of_expert)
        if sizes.max() == 1:
            return
        limits = 1.0 / np.sqrt(sizes[self.module_of_expert[: self.fused_experts]])
        uniform = keras.initializers.RandomUniform(-1.0, 1.0)
        self.native = self.add_weight(
            shape=limits.shape,
            initializer=lambda shape, dtype: uniform(shape, dtype) * ops.cast(limits, dtype),
            name="native",
        )

    def call(
        self, inputs: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """Fusions of the modules' inputs, with gate weights and the experts' contributions."""
        expert_inputs = gate_inputs = inputs
        if len(inputs.shape) == 3:
            expert_inputs = ops.take(inputs, self.module_of_expert, axis=1)  # (B, E, n)
            gate_inputs = inputs[:, : self.fusions]
        experts = self.experts(expert_inputs, training=training)  # (B, E, h)
        weights = self.gate(gate_inputs)  # (B, G, E)
        own = ops.cast(self.own, weights.dtype)
        if self.native is not None:
            rest = len(self.module_of_expert) - self.fused_experts
            own = own * ops.pad(ops.cast(self.native, weights.dtype), (0, rest))
        added = weights + own
        return mix(added, experts), weights, contributions(added, experts)


class AdaTT(Network):
    """Adaptive task-to-task fusion (Li et al. 2023): a module per task and a shared one.

    At every level module m's experts and gate read its fusion of the level before, at first the
    flattened fields; f_m = AllExpertGF_m + NativeExpertLF_m, see `FusionLevel`. The shared
    module is fused like a task's, but not at the last level, where no one reads it. Experts lie
    in the order of the modules, the shared one last.

    The start of v and its fixing at 1 follow the authors' code; the paper's own words on both
    were not at hand.

    Shown to learn:
        Which of a task's own two experts knows the label, where outputs are given and the other
        one is noise: v of the expert that knows moves at least 0.5 further from 0 than that of the
        noise, and the AUC is 0.855 of the possible 0.858.

    Args:
        inputs: the tasks.
        levels: number of levels.
        task_experts: experts of each task and level.
        shared_experts: experts of the shared module of each level; 0 for no such module.
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
        shared_experts: NonNegativeInt = 1,
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        tasks = [task.name for task in inputs.tasks]
        sizes = {**dict.fromkeys(tasks, task_experts), "shared": shared_experts}
        names = [f"{name}/expert_{i}" for name, size in sizes.items() for i in range(size)]
        self.gate_names = dict.fromkeys(tasks, names)
        module_of_expert = np.repeat(np.arange(len(sizes), dtype="int32"), list(sizes.values()))
        modules = len(tasks) + (shared_experts > 0)
        self.fusion = [
            FusionLevel(
                module_of_expert,
                len(tasks) if level == levels - 1 else modules,
                expert_hidden,
                dropout,
                normalization,
            )
            for level in range(levels)
        ]
        self.towers = Towers(len(tasks), tower_hidden, dropout, normalization)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` to "logits" ``(B, T)`` and, of each gate, outputs ``(B, experts)``.

        The gates are AllExpertGF's of the last level; NativeExpertLF's numbers are not in them,
        but in the contributions.
        """
        fused = flatten(fields)
        for level in self.fusion:
            fused, weights, shares = level(fused, training=training)
        gates = {task: [index] for index, task in enumerate(self.gate_names)}
        return {
            "logits": self.towers(fused, training=training),
            **gate_outputs(gates, weights, shares),
        }
