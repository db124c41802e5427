"""STEM-Net: embedding tables of each task's own beside a shared one."""

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


class ForwardAllLevel(keras.layers.Layer):
    """Experts in T + 1 groups, each on its own input; a task's gate sees all, and trains its own.

    Shapes: ``(B, T + 1, n)``, the groups' inputs (tasks first, the shared group last), to mixes
    ``(B, G, h)``, gate weights and the experts' contributions, both ``(B, G, experts)``; G is T at
    the last level and T + 1 before.

    Args:
        tasks: T.
        task_experts: experts of each task.
        shared_experts: experts of the shared group.
        hidden: widths of each expert's layers.
        gate_hidden: widths of the gates' hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of the experts' hidden layers, before their ReLU.
        last: whether no level follows, so that no shared mix is needed.
    """

    def __init__(
        self,
        tasks: int,
        task_experts: int,
        shared_experts: int,
        hidden: Sequence[int],
        gate_hidden: Sequence[int],
        dropout: float,
        normalization: Normalization,
        last: bool,
    ):
        super().__init__()
        self.tasks, self.last = tasks, last
        #: ``(G, E)``, the experts whose weights a gate's task trains.
        self.group_of_expert, self.trained = expert_groups(
            tasks, task_experts, shared_experts, last
        )
        count = len(self.group_of_expert)
        self.experts = ParallelMLP(count, hidden, dropout, normalization=normalization)
        self.gate_layers = ParallelMLP(len(self.trained), gate_hidden) if gate_hidden else None
        self.gate = Gate(np.ones_like(self.trained))

    def build(self, *_: object) -> None:
        """Makes nothing, see `RankingModel.build`: the parts make the weights."""

    def call(
        self, inputs: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """Mixes of the groups' inputs, with gate weights and the experts' contributions."""
        *own, shared = parts = ops.unstack(inputs, axis=1)  # (B, n) each
        runs = np.bincount(self.group_of_expert).tolist()
        experts = self.experts(parts, training=training, runs=runs)
        seen = [each + shared for each in own]
        if not self.last:
            seen = [*seen, shared]
        if self.gate_layers is not None:
            seen = self.gate_layers(seen, apart=True)
        weights = self.gate(seen)  # (B, G, E)
        trained = ops.cast(self.trained, weights.dtype)
        mixed = mix(weights * trained, experts)
        mixed += mix(weights * (1 - trained), ops.stop_gradient(experts))  # (B, G, h)
        return mixed, weights, contributions(weights, experts)


class STEM(Network):
    """STEM-Net (Su et al. 2024): shared and task-specific embeddings.

    Every id has T + 1 embeddings of width k: e_t in the table of each task t, e_S in a shared one;
    x_t and x_S are all fields' of one table, flattened. Each task has experts on x_t, and there are
    shared ones on x_S. With sg for a stopped gradient, task t's gate weighs them all:

    - g_t = softmax(W_t (x_t + x_S) + b_t), over the experts of all tasks and the shared ones;
    - f_t = Σ_own g E(x_t) + Σ_shared g E(x_S) + Σ_{u ≠ t} Σ_own of u g sg(E(x_u)): all forward,
      task-specific backward. A task's loss trains its own table and the shared one, and reads what
      the others have learnt without changing it.

    With several levels f_t is the next one's x_t, and its x_S is the mix of a shared gate on x_S
    over all experts, without a stop: through it a task's loss reaches the others' tables, as in the
    authors' published code, whose number of levels is 1.

    Source: the paper's abstract and the published code (its STEM layer), of which the text's
    equation numbers can't be told; the original text was not at hand. Sequences are encoded in each
    table apart, by an encoder of the same weights; maps of behaviours of several fields are common
    to all tables.

    Shown to learn:
        Two tasks that ask other things of an id, with embeddings of width 1: AUC 0.830 and 0.825 of
        the possible 0.831 and 0.827 (with a second seed 0.826 and 0.825); 0.815 and 0.807 where
        all experts read the shared table (0.799 and 0.772). A task's loss moves its own table and
        the shared one, and no other (test_stem.py).

    Args:
        inputs: the tasks.
        levels: number of levels.
        task_experts: experts of each task and level.
        shared_experts: shared experts of each level.
        expert_hidden: widths of each expert's layers; the published code's are 512, 256, 128.
        gate_hidden: widths of the gates' hidden layers; the published code's are 128 and 64.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of the hidden layers of experts and towers, before their ReLU: ``none``,
            ``batch`` or ``layer``.
    """

    reads_fields = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        levels: PositiveInt = 1,
        task_experts: PositiveInt = 1,
        shared_experts: PositiveInt = 1,
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        gate_hidden: tuple[PositiveInt, ...] = (),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        tasks = len(inputs.tasks)
        self.embedding_tables = tasks + 1
        names = [
            f"{task.name}/expert_{index}" for task in inputs.tasks for index in range(task_experts)
        ]
        names += [f"shared/expert_{index}" for index in range(shared_experts)]
        self.gate_names = {task.name: names for task in inputs.tasks}
        self.stem_levels = [
            ForwardAllLevel(
                tasks,
                task_experts,
                shared_experts,
                expert_hidden,
                gate_hidden,
                dropout,
                normalization,
                last=level == levels - 1,
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
        """Fields ``(B, T + 1, F, k)`` to "logits" ``(B, T)`` and, of gates, outputs ``(B, E)``."""
        mixed = flatten(fields)
        for level in self.stem_levels:
            mixed, weights, shares = level(mixed, training=training)
        gates = {task: [index] for index, task in enumerate(self.gate_names)}
        return {
            "logits": self.towers(mixed, training=training),
            **gate_outputs(gates, weights, shares),
        }
