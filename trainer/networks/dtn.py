"""DTN: feature interactions of several kinds for every task, and the task-sensitive network."""

from typing import Annotated

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from trainer.interactions.settings import (
    DEFAULT_INTERACTIONS,
    InteractionSettings,
    unique_names,
)
from trainer.layers.gate import Gate, mix, seen
from trainer.layers.towers import Towers
from trainer.networks.dtn_dropped import kept_modules
from trainer.networks.network import Network, flatten
from trainer.task_tree import levels, preceding
from transform.model_inputs import ModelInputs
from transform.settings import SettingsError


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
        dropped: modules that a task's gates do not see, by task and names as in the gates'
            weights (``click/gdcn``); a module that no gate sees is not built. Training method
            ``gate_trim`` chooses them (DTN-trim).

    Attributes:
        names: of the modules that are built, in the order of the gates' experts.
        groups: of every kind, the groups (the shared one is the last) that have its module.

    Raises:
        SettingsError: an interaction does not fit the fields, or `dropped` names an unknown task
            or module, or all modules of one gate.
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
        dropped: dict[str, list[str]] = {},  # noqa: B006
    ):
        super().__init__()
        self.tasks = inputs.tasks
        self.stop_gradient = stop_gradient
        kinds = [InteractionSettings.model_validate(item) for item in interactions]
        self.preceding = preceding(self.tasks) if task_sensitive else [None] * len(self.tasks)
        needed = self._make_gates(unique_names([kind.name for kind in kinds]), dropped)
        self.groups = [np.flatnonzero(needed[:, place]).tolist() for place in range(len(kinds))]
        # Modules are computed kind by kind, gates see them group by group.
        self.by_kind = np.lexsort(np.nonzero(needed)).astype("int32")
        self.modules = [
            kind.build(inputs, units, copies=len(groups))
            for kind, groups in zip(kinds, self.groups, strict=True)
            if groups
        ]
        self.levels = levels(self.preceding)
        self.towers = [Towers(len(level), tower_hidden, dropout) for level in self.levels]

    def _make_gates(self, kinds: list[str], dropped: dict[str, list[str]]) -> np.ndarray:
        """Decides which modules each of the 2 T gates sees: S_O's of all tasks, then S_t's.

        Returns:
            ``(T + 1, kinds)``, which groups need which kinds.
        """
        tasks = len(self.tasks)
        group = np.repeat(np.arange(tasks + 1), len(kinds))  # of each module; T is the shared one
        owners = [task.name for task in self.tasks] + ["shared"]
        names = [f"{owner}/{kind}" for owner in owners for kind in kinds]
        own = np.stack([group == task for task in range(tasks)])  # (T, E)
        shared = np.stack([group == tasks] * tasks)
        carried = np.stack([group == (-1 if u is None else u) for u in self.preceding])
        kept = kept_modules(self.tasks, names, own | shared | carried, dropped)
        visible = np.concatenate([(shared | carried) & kept, own & kept])
        for gate in np.flatnonzero(~visible.any(axis=1)):
            text = f"a gate of task {self.tasks[gate % tasks].name!r} would see no module"
            raise SettingsError([(("dropped",), text)])
        needed = visible.any(axis=0)
        self.visible = visible[:, needed]
        self.shared, self.carried = (shared & kept)[:, needed], (carried & kept)[:, needed]
        self.names = [name for name, used in zip(names, needed, strict=True) if used]
        self.gate = Gate(self.visible)
        self.gate_names = {
            task.name: [
                self.names[place]
                for row in (index, tasks + index)
                for place in np.flatnonzero(self.visible[row])
            ]
            for index, task in enumerate(self.tasks)
        }
        return needed.reshape(tasks + 1, len(kinds))

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
        modules = [module(fields, field_ids) for module in self.modules]  # (B, groups, units)
        experts = ops.concatenate(modules, axis=1)  # (B, E, units)
        weights = self.gate(flatten(fields))
        other, own = weights[:, :tasks], weights[:, tasks:]  # (B, T, E)
        # p_u is a factor of all that is carried over, so the mixes do not wait for it.
        rows = [other * ops.cast(self.shared, other.dtype), own]
        has_chain = bool(self.carried.any())
        if has_chain:
            rows.append(other * ops.cast(self.carried, other.dtype))
        rows = ops.take(ops.concatenate(rows, axis=1), self.by_kind, axis=2)
        mixes = mix(rows, experts)  # (B, 2T or 3T, units)
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
            if carried is not None and self.preceding[level[0]] is not None:
                scores = ops.stack([logits[self.preceding[task]] for task in level], axis=1)
                probabilities = ops.sigmoid(scores)[:, :, None]
                if self.stop_gradient:
                    probabilities = ops.stop_gradient(probabilities)
                other = other + probabilities * ops.take(carried, level, axis=1)
            joined = ops.concatenate([other, ops.take(specific, level, axis=1)], axis=-1)
            level_logits = towers(joined, training=training)
            logits.update({task: level_logits[:, place] for place, task in enumerate(level)})
        return ops.stack([logits[task] for task in range(len(self.tasks))], axis=1)
