"""TFI: PLE whose experts are feature interactions."""

from typing import Annotated

import keras
import numpy as np
from keras import ops
from pydantic import Field, PositiveInt

from mtlx.trainer.layers.flatten import flatten
from mtlx.trainer.layers.gate import Gate, mix
from mtlx.trainer.layers.gate_outputs import contributions, gate_outputs
from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.layers.parallel.towers import Towers
from mtlx.trainer.layers.unit_scale import unit_scale
from mtlx.trainer.networks.network import Network
from mtlx.trainer.networks.ple import ExtractionLevel
from mtlx.trainer.parts.interactions.settings import InteractionSettings, unique_names
from mtlx.transform.contract.model_inputs import ModelInputs

#: The best kind of the paper's Table 2, three to a group: with three tasks its "12 TFI".
_DEFAULT = [InteractionSettings(name="masknet")] * 3


class TFI(Network):
    """Task-specific feature interaction (DTN paper, Fig. 1b).

    PLE with a group of n modules M_t per task and a shared group M_S for experts: task t's gate
    is a softmax, on the flattened fields, over [M_t, M_S]. Modules read fields, so levels above
    the first have MLPs as PLE has; the paper shows one level.

    Shown to learn:
        Pairs of ids, by MemoNet among its modules: 0.105 and 0.064 over PLE on `cross`. AUC 0.835
        and 0.836 of the possible 0.861 on `own_rules`, 0.775 and 0.768 of the possible 0.792 on
        `small_domain`, 0.708 and 0.686 of the possible 0.790 on `transfer`, 0.755 and 0.758 of the
        possible 0.801 on `cross` (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: the tasks and the categorical fields.
        interactions: the kinds of module in each group; one kind may occur several times.
        units: output width of every module.
        normalize_modules: modules are mixed at root mean square 1, see DTN.
        levels: levels of extraction, the first made of modules.
        task_experts: experts of each task in the levels above the first.
        shared_experts: shared experts in the levels above the first.
        expert_hidden: widths of those experts' layers.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the hidden units of MLPs that are dropped in training.
        normalization: of the hidden layers of MLPs, before their ReLU: ``none``, ``batch`` or
            ``layer``; a module has what its paper says.

    Raises:
        SettingsError: an interaction does not fit the fields.
    """

    reads_fields = True

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        interactions: Annotated[list[InteractionSettings], Field(min_length=1)] = _DEFAULT,
        units: PositiveInt = 512,
        normalize_modules: bool = True,
        levels: PositiveInt = 1,
        task_experts: PositiveInt = 2,
        shared_experts: PositiveInt = 2,
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__()
        self.normalizes = normalize_modules
        tasks = len(inputs.tasks)
        kinds = [InteractionSettings.model_validate(item) for item in interactions]
        self.modules = [kind.build(inputs, units, copies=tasks + 1) for kind in kinds]
        group = np.repeat(np.arange(tasks + 1), len(kinds))  # of each module; T is the shared one
        rows = [np.isin(group, (task, tasks)) for task in range(tasks)]
        if levels > 1:
            rows.append(np.ones(len(group), dtype=bool))  # what the next shared group reads
        self.gate = Gate(np.stack(rows))
        self.extraction = [
            ExtractionLevel(
                tasks,
                task_experts,
                shared_experts,
                expert_hidden,
                dropout,
                level == levels - 1,
                normalization=normalization,
            )
            for level in range(1, levels)
        ]
        own, shared = unique_names([kind.name for kind in kinds]), None
        if levels > 1:
            own = [f"expert_{index}" for index in range(task_experts)]
            shared = [f"expert_{index}" for index in range(shared_experts)]
        self.gate_names = {
            task.name: [f"{task.name}/{name}" for name in own]
            + [f"shared/{name}" for name in shared or own]
            for task in inputs.tasks
        }
        self.towers = Towers(tasks, tower_hidden, dropout, normalization)

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

        The gates are those of the last level.
        """
        modules = [module(fields, field_ids) for module in self.modules]  # (B, T + 1, units)
        if self.normalizes:
            modules = [unit_scale(module) for module in modules]
        experts = ops.stack(modules, axis=2)
        experts = ops.reshape(experts, (-1, self.gate.visible.shape[1], experts.shape[-1]))
        weights, visible = self.gate(flatten(fields)), self.gate.visible
        mixed = mix(weights, experts)  # (B, T, units), or (B, T + 1, units) below a level
        shares = contributions(weights, experts)
        for level in self.extraction:
            mixed, weights, shares = level(mixed, training=training)
            visible = level.visible
        gates = {task: [index] for index, task in enumerate(self.gate_names)}
        return {
            "logits": self.towers(mixed, training=training),
            **gate_outputs(gates, weights, shares, visible),
        }
