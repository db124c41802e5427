"""DTN: feature interactions of several kinds for every task, and the task-sensitive network."""

from typing import Annotated

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from trainer.interactions import INTERACTIONS
from trainer.interactions.settings import DEFAULT_INTERACTIONS, InteractionSettings
from trainer.layers.gate import Gate, mix, seen
from trainer.layers.towers import Towers
from trainer.networks.network import Network, flatten
from trainer.task_tree import levels, preceding
from transform.model_inputs import ModelInputs


class DTN(Network):
    """Deep multiple task-specific feature interactions network (DTN paper, Eqs. 3 to 7).

    - Multiple feature interaction (MFI, Eq. 3): a group M_t of n modules per task, and a shared
      group M_S. One kind's modules of all groups are one batched computation.
    - Task-sensitive network (TSN): A_O = [p_u · M_u, M_S], where u is the task that t comes after
      and p_u its predicted probability. A task without preceding task has A_O = [M_S].
    - Two gates per task, each a linear layer with softmax on the flattened fields:
      S_O = Σ g_O,i A_O,i (Eq. 4) over A_O, and S_t = Σ g_t,i M_t,i (Eq. 5) over its own group.
    - C_t = [S_O, S_t], logit y_t = tower_t(C_t) (Eqs. 6 and 7).

    Each of the two gates sums to 1. The paper does not say whether the preceding task is trained
    through p_u; like the released code this stops that gradient, unless `stop_gradient` is off.
    Only the directly preceding task's group is seen, as in the paper's example of two tasks; its
    text also says "other task's MFI components" where it means that one.
    The released code differs: it adds S_O and S_t, its gates read the modules' outputs.

    Args:
        inputs: the tasks (`after` makes the chain, or tree) and the categorical fields.
        interactions: the kinds of module in each group; one kind may occur several times.
        units: output width of every module.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the towers' hidden units that are dropped in training.
        task_sensitive: False omits the preceding task's modules ("w/o TSN").
        stop_gradient: no gradient through the probability that scales the preceding modules.

    Raises:
        SettingsError: an interaction does not fit the fields.
    """

    reads_fields = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        interactions: Annotated[
            list[InteractionSettings], Field(min_length=1)
        ] = DEFAULT_INTERACTIONS,
        units: PositiveInt = 512,
        tower_hidden: list[PositiveInt] = [128, 64],  # noqa: B006
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        task_sensitive: bool = True,
        stop_gradient: bool = True,
    ):
        super().__init__()
        self.tasks = inputs.tasks
        self.stop_gradient = stop_gradient
        kinds = [InteractionSettings.model_validate(item) for item in interactions]
        field_names = tuple(field.name for field in inputs.categorical)
        self.modules = [
            INTERACTIONS.build(
                kind.name, {**kind.options, "units": units}, len(self.tasks) + 1, field_names
            )
            for kind in kinds
        ]
        self.preceding = preceding(self.tasks) if task_sensitive else [None] * len(self.tasks)
        self._make_gates(_unique_names([kind.name for kind in kinds]))
        self.levels = levels(self.preceding)
        self.towers = [Towers(len(level), tower_hidden, dropout) for level in self.levels]

    def _make_gates(self, kinds: list[str]) -> None:
        """Decides which modules each of the 2 T gates sees: S_O's of all tasks, then S_t's."""
        tasks = len(self.tasks)
        group = np.repeat(np.arange(tasks + 1), len(kinds))  # of each module; T is the shared one
        own = np.stack([group == task for task in range(tasks)])  # (T, E)
        self.shared = np.stack([group == tasks] * tasks)
        self.carried = np.stack([group == (-1 if u is None else u) for u in self.preceding])
        self.visible = np.concatenate([self.shared | self.carried, own])
        self.gate = Gate(self.visible)
        owners = [task.name for task in self.tasks] + ["shared"]
        names = np.asarray([f"{owner}/{kind}" for owner in owners for kind in kinds])
        self.gate_names = {
            task.name: [*names[self.visible[index]].tolist(), *names[own[index]].tolist()]
            for index, task in enumerate(self.tasks)
        }

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` and ids ``(B, C)`` to "logits" ``(B, T)`` and "gates/<task>".

        A task's gates are the weights of S_O and, after them, those of S_t: ``(B, n_O + n)``.
        """
        tasks = len(self.tasks)
        experts = ops.stack([module(fields, field_ids) for module in self.modules], axis=2)
        experts = ops.reshape(experts, (-1, (tasks + 1) * len(self.modules), experts.shape[-1]))
        weights = self.gate(flatten(fields))
        other, own = weights[:, :tasks], weights[:, tasks:]  # (B, T, E)
        # p_u is a factor of all that is carried over, so the mixes do not wait for it.
        rows = [other * ops.cast(self.shared, other.dtype), own]
        has_chain = bool(self.carried.any())
        if has_chain:
            rows.append(other * ops.cast(self.carried, other.dtype))
        mixes = mix(ops.concatenate(rows, axis=1), experts)  # (B, 2T or 3T, units)
        shared, specific = mixes[:, :tasks], mixes[:, tasks : 2 * tasks]
        carried = mixes[:, 2 * tasks :] if has_chain else None
        outputs = {"logits": self._along_the_chain(shared, specific, carried, training)}
        for index, task in enumerate(self.tasks):
            gates = [seen(weights, self.visible, row) for row in (index, tasks + index)]
            outputs[f"gates/{task.name}"] = ops.concatenate(gates, axis=1)
        return outputs

    def _along_the_chain(
        self,
        shared: keras.KerasTensor,
        specific: keras.KerasTensor,
        carried: keras.KerasTensor | None,
        training: bool,
    ) -> keras.KerasTensor:
        """Towers level by level, since a task waits for the one before it; ``(B, T)``."""
        logits: dict[int, keras.KerasTensor] = {}
        for level, towers in zip(self.levels, self.towers, strict=True):
            other = ops.take(shared, level, axis=1)  # (B, tasks of the level, units)
            if self.preceding[level[0]] is not None:
                scores = ops.stack([logits[self.preceding[task]] for task in level], axis=1)
                probabilities = ops.sigmoid(scores)[:, :, None]
                if self.stop_gradient:
                    probabilities = ops.stop_gradient(probabilities)
                other = other + probabilities * ops.take(carried, level, axis=1)
            joined = ops.concatenate([other, ops.take(specific, level, axis=1)], axis=-1)
            level_logits = towers(joined, training=training)
            logits.update({task: level_logits[:, place] for place, task in enumerate(level)})
        return ops.stack([logits[task] for task in range(len(self.tasks))], axis=1)


def _unique_names(kinds: list[str]) -> list[str]:
    """gdcn, gdcn_2, … where a kind occurs several times."""
    return [
        kind if kinds[:index].count(kind) == 0 else f"{kind}_{kinds[:index].count(kind) + 1}"
        for index, kind in enumerate(kinds)
    ]
