"""DTN: feature interactions of several kinds for every task, and the task-sensitive network."""

from collections.abc import Mapping
from typing import Annotated

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.gate import Gate, mix
from mtlx.trainer.layers.gate_outputs import contributions, gate_outputs, sizes
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.layers.unit_scale import unit_scale
from mtlx.trainer.networks.dtn.dtn_dropped import kept_modules
from mtlx.trainer.networks.dtn.dtn_other_tasks import OtherTasks, TaskSensitive, carried
from mtlx.trainer.networks.network import Network
from mtlx.trainer.parts.interactions.settings import (
    DEFAULT_INTERACTIONS,
    InteractionSettings,
    unique_names,
)
from mtlx.trainer.task_tree import levels
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs


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
    By default only the directly preceding task's group is seen, as in the paper's example of two
    tasks; its text also says "other task's MFI components", which `other_tasks` ``all`` is.
    The released code differs: it sees all other tasks, adds S_O and S_t, its gates read the
    modules' outputs.

    Deviation: the paper normalises no module. Behind embeddings of N(0, 0.01) GDCN's output
    starts at a root mean square of 0.012 and MaskNet's, which ends in a layer normalisation, at
    0.7, so that a gate would mix one kind alone. `normalize_modules` divides every output by its
    own root mean square; off gives the paper's equations.

    Shown to learn:
        What the click's modules hold and a conversion's own and the shared ones do not: where
        modules are given, its AUC is 0.824 of the possible 0.828 with ``unscaled``, 0.813 with
        ``full``, which learns the slower the rarer clicks are, and 0.5 with ``off``; where it
        counts as much as a click is likely, ``full`` has 0.904 of 0.906 and ``unscaled`` 0.884.
        With modules that learn, the shared ones hold it too: on planted chains of two tasks no
        setting is ahead, on one of three ``off`` is 0.015 and 0.035 behind (two seeds).

    Args:
        inputs: the tasks (`after` makes the chain, or tree) and the categorical fields.
        interactions: the kinds of module in each group; one kind may occur several times.
        units: output width of every module.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the towers' hidden units that are dropped in training.
        normalization: of the towers' hidden layers, before their ReLU: ``none``, ``batch`` or
            ``layer``; a module has what its paper says.
        task_sensitive: ``full``, A_O = [p_u · M_u, M_S]; ``unscaled``, [M_u, M_S], the released
            code's "without TSN"; ``off``, [M_S]: neither modules nor factor. True and False still
            mean ``full`` and ``off``.
        other_tasks: ``preceding``, u is the task that t comes after; ``all``, every other task.
            Then the modules of each task that stands before t in the chain are multiplied by that
            one's own probability, those of all others by nothing: as in the released code, whose
            list of pairs names the former, and so that no two tasks wait for each other.
        normalize_modules: modules are mixed at root mean square 1.
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
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
        task_sensitive: TaskSensitive = "full",
        other_tasks: OtherTasks = "preceding",
        normalize_modules: bool = True,
        stop_gradient: bool = True,
        dropped: Mapping[str, list[str]] = {},
    ):
        super().__init__()
        self.tasks = inputs.tasks
        self.stop_gradient, self.normalizes = stop_gradient, normalize_modules
        kinds = [InteractionSettings.model_validate(item) for item in interactions]
        self.carried = carried(self.tasks, task_sensitive, other_tasks)
        needed = self._make_gates(unique_names([kind.name for kind in kinds]), dropped)
        self.groups = [np.flatnonzero(needed[:, place]).tolist() for place in range(len(kinds))]
        # Modules are computed kind by kind, gates see them group by group.
        self.by_kind = np.lexsort(np.nonzero(needed)).astype("int32")
        self.modules = [
            kind.build(inputs, units, copies=len(groups))
            for kind, groups in zip(kinds, self.groups, strict=True)
            if groups
        ]
        self.levels = levels(self.carried.before)
        self.towers = [
            Towers(len(level), tower_hidden, dropout, normalization, places=level)
            for level in self.levels
        ]

    def _make_gates(self, kinds: list[str], dropped: Mapping[str, list[str]]) -> np.ndarray:
        """Decides which modules each of the 2 T gates sees: S_O's of all tasks, then S_t's.

        Returns:
            ``(T + 1, kinds)``, which groups need which kinds.
        """
        tasks = len(self.tasks)
        group = np.repeat(np.arange(tasks + 1), len(kinds))  # of each module; T is the shared one
        owners = [task.name for task in self.tasks] + ["shared"]
        names = [f"{owner}/{kind}" for owner in owners for kind in kinds]
        own = np.stack([group == task for task in range(tasks)])  # (T, E)
        others = np.concatenate([self.carried.seen, np.ones((tasks, 1), bool)], axis=1)[:, group]
        kept = kept_modules(self.tasks, names, own | others, dropped)
        visible = np.concatenate([others & kept, own & kept])
        for gate in np.flatnonzero(~visible.any(axis=1)):
            text = f"a gate of task {self.tasks[gate % tasks].name!r} would see no module"
            raise SettingsError([(("dropped",), text)])
        needed = visible.any(axis=0)
        self.visible, self.group = visible[:, needed], group[needed]
        # What is multiplied by another task's probability, by pair of tasks.
        none = np.zeros((tasks, 1), bool)
        self.scaled = np.concatenate([self.carried.scaled, none], axis=1)[:, self.group]
        self.scaled &= self.visible[:tasks]
        task, module = np.nonzero(self.scaled)
        self.pairs = np.unique(np.stack([task, self.group[module]], axis=1), axis=0)
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

    @property
    def tells_ids_apart(self) -> bool:
        """See Network."""
        return any(module.tells_ids_apart for module in self.modules)

    def call(
        self,
        fields: keras.KerasTensor,
        field_ids: keras.KerasTensor,
        domain_ids: keras.KerasTensor,
        training: bool = False,
    ) -> dict[str, keras.KerasTensor]:
        """Fields ``(B, F, k)`` and ids ``(B, C)`` to "logits" ``(B, T)`` and outputs of the gates.

        A task's gates are S_O's and, after it, S_t's: ``(B, n_O + n)``. The contributions of the
        modules that are carried over are those of p_u M_u.
        """
        tasks = len(self.tasks)
        modules = [module(fields, field_ids) for module in self.modules]  # (B, groups, units)
        if self.normalizes:
            modules = [unit_scale(module) for module in modules]
        experts = ops.concatenate(modules, axis=1)  # (B, E, units)
        weights = self.gate(flatten(fields))
        other, own = weights[:, :tasks], weights[:, tasks:]  # (B, T, E)
        # p_u is a factor of all that is carried over from u, so the mixes do not wait for it.
        scaled = self.scaled.astype("float32")
        rows = [other * ops.cast(1 - scaled, other.dtype), own]
        if len(self.pairs):
            of_pair = self.group == self.pairs[:, 1:]  # (P, E)
            of_task = ops.take(other, self.pairs[:, 0], axis=1)
            rows.append(of_task * ops.cast(of_pair, other.dtype))
        rows = ops.take(ops.concatenate(rows, axis=1), self.by_kind, axis=2)
        mixes = mix(rows, experts)  # (B, 2 T + P, units)
        logits, probabilities = self._along_the_chain(
            mixes[:, :tasks], mixes[:, tasks : 2 * tasks], mixes[:, 2 * tasks :], training
        )
        added = other
        if len(self.pairs):
            # (B, T, E): p_u where a module is multiplied by it, else 1
            factors = ops.take(probabilities, np.minimum(self.group, tasks - 1), axis=1)[:, None]
            added = ops.cast(other, "float32") * (1 + scaled * (factors - 1))
        found = ops.take(sizes(experts), np.argsort(self.by_kind), axis=1)
        shares = [contributions(added, found), contributions(own, found)]
        gates = {task.name: [index, tasks + index] for index, task in enumerate(self.tasks)}
        return {
            "logits": logits,
            **gate_outputs(gates, weights, ops.concatenate(shares, axis=1), self.visible),
        }

    def _along_the_chain(
        self,
        unscaled: keras.KerasTensor,
        specific: keras.KerasTensor,
        carried: keras.KerasTensor,
        training: bool,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Towers level by level, since a task waits for those before it.

        Args:
            unscaled: ``(B, T, units)``, of S_O what has no factor.
            specific: ``(B, T, units)``, S_t.
            carried: ``(B, P, units)``, of S_O what has one, by pair of tasks.
            training: see `call`.

        Returns:
            Logits ``(B, T)`` and probabilities, the latter float32.
        """
        logits: dict[int, keras.KerasTensor] = {}
        probabilities: dict[int, keras.KerasTensor] = {}
        for level, towers in zip(self.levels, self.towers, strict=True):
            other = ops.take(unscaled, level, axis=1)  # (B, tasks of the level, units)
            places = np.flatnonzero(np.isin(self.pairs[:, 0], level))
            if len(places):
                factors = ops.stack([probabilities[u] for u in self.pairs[places, 1]], axis=1)
                of_task = np.equal.outer(level, self.pairs[places, 0])  # (tasks of the level, P)
                factors = ops.cast(factors[:, None] * of_task.astype("float32"), other.dtype)
                other = other + mix(factors, ops.take(carried, places, axis=1))
            joined = ops.concatenate([other, ops.take(specific, level, axis=1)], axis=-1)
            level_logits = towers(joined, training=training)
            scores = ops.sigmoid(ops.cast(level_logits, "float32"))
            if self.stop_gradient:
                scores = ops.stop_gradient(scores)
            logits.update({task: level_logits[:, place] for place, task in enumerate(level)})
            probabilities.update({task: scores[:, place] for place, task in enumerate(level)})
        return tuple(
            ops.stack([values[task] for task in range(len(self.tasks))], axis=1)
            for values in (logits, probabilities)
        )
