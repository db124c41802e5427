"""-MDL: one multi-domain model per task, in which the domains play the tasks' part."""

import dataclasses
from collections.abc import Mapping

import keras
from keras import ops

from mtlx.trainer.layers.domain.own_domain import of_own_domain
from mtlx.trainer.layers.gate_outputs import CONTRIBUTIONS, GATES
from mtlx.trainer.layers.told import REPRESENTATION
from mtlx.trainer.model.arrangements.arranged_model import (
    ArrangedModel,
    Outputs,
    losses_of_encoders,
)
from mtlx.trainer.model.model_features import domains_of
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.model.scores import LOG_DEVIATIONS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import DOMAIN_ID, ModelInputs, TaskSpec


class ModelPerTask(ArrangedModel):
    """T multi-domain models that share nothing, embeddings included (-MDL of M3oE's Table 2).

    Each has one output per domain, where a multi-task model has one per task; a row is scored
    by the output of its own domain.

    Shown to learn:
        Own rules of domains; with a bottom for all domains but an output for each, a small domain
        gets part of what the large ones know. Around a Shared-Bottom, AUC 0.853 and 0.854 of the
        possible 0.861 where domains have rules of their own, and 0.686 and 0.672 of 0.792 for a
        domain of 80 rows that follows the same rule as the large ones; without arrangement 0.853
        and 0.852, 0.769 and 0.768 (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: features, domains and tasks.
        settings: of each model inside.
    """

    def __init__(self, inputs: ModelInputs, settings: ModelSettings):
        models = [
            RankingModel(
                dataclasses.replace(
                    inputs,
                    tasks=tuple(_in_domain(task, domain) for domain in inputs.domains),
                ),
                settings,
            )
            for task in inputs.tasks
        ]
        super().__init__(inputs, models)
        self.task_names = [task.name for task in inputs.tasks]
        if models[0].gate_names:
            experts = list(models[0].gate_names.values())
            # The domains' gates have as many experts each, under names of their own domain.
            places = [f"expert_{index}" for index in range(len(experts[0]))]
            names = experts[0] if all(names == experts[0] for names in experts) else places
            self.gate_names = {task: names for task in self.task_names}

    def call(self, features: Mapping[str, keras.KerasTensor], training: bool = False) -> Outputs:
        """See `RankingModel`."""
        parts = [model(features, training=training) for model in self.models]
        domain_ids = domains_of(features, parts[0]["logits"])
        outputs: Outputs = {
            name: ops.stack([of_own_domain(part[name], domain_ids) for part in parts], axis=1)
            for name in ("logits", "probabilities", REPRESENTATION)
            if all(name in part for part in parts)
        }
        if any(LOG_DEVIATIONS in part for part in parts):
            own = [part.get(LOG_DEVIATIONS, ops.zeros_like(part["logits"])) for part in parts]
            outputs[LOG_DEVIATIONS] = ops.stack(
                [of_own_domain(values, domain_ids) for values in own], axis=1
            )
        for task, part in zip(self.task_names, parts, strict=True):
            if task in self.gate_names:
                for prefix in (GATES, CONTRIBUTIONS):
                    gates = [part[prefix + domain] for domain in self.inputs_record.domains]
                    outputs[prefix + task] = of_own_domain(ops.stack(gates, axis=1), domain_ids)
        return {**outputs, **losses_of_encoders(parts), DOMAIN_ID: domain_ids}


def _in_domain(task: TaskSpec, domain: str) -> TaskSpec:
    """A task in one domain, alone in its model: it comes after none there."""
    return dataclasses.replace(task, name=domain, after=None, population=None)
