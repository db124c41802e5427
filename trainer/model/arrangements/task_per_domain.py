"""-MTMD: one model with an output for every pair of domain and task."""

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
    domain_task,
    losses_of_encoders,
)
from mtlx.trainer.model.model_features import domains_of
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.model.scores import LOG_DEVIATIONS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import DOMAIN_ID, ModelInputs


class TaskPerDomain(ArrangedModel):
    """One multi-task model with D·T outputs (-MTMD of M3oE's Table 2).

    A row is scored by the T outputs of its own domain.

    Shown to learn:
        Own rules of domains; outputs of a small domain's own learn from its rows alone. Around a
        Shared-Bottom, AUC 0.857 and 0.856 of the possible 0.861 where domains have rules of their
        own, and 0.654 and 0.618 of 0.792 for a domain of 80 rows that follows the same rule as the
        large ones; without arrangement 0.853 and 0.852, 0.769 and 0.768
        (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: features, domains and tasks.
        settings: of the model inside.
    """

    def __init__(self, inputs: ModelInputs, settings: ModelSettings):
        pairs = tuple(
            domain_task(task, domain) for domain in inputs.domains for task in inputs.tasks
        )
        super().__init__(inputs, [RankingModel(dataclasses.replace(inputs, tasks=pairs), settings)])
        inside = self.models[0].gate_names
        names = {
            task.name: [inside[f"{task.name}@{domain}"] for domain in inputs.domains]
            for task in inputs.tasks
            if inside
        }
        self.gate_names = {
            task: lists[0]
            if all(item == lists[0] for item in lists)
            else [f"expert_{index}" for index in range(len(lists[0]))]
            for task, lists in names.items()
        }

    def call(self, features: Mapping[str, keras.KerasTensor], training: bool = False) -> Outputs:
        """See `RankingModel`."""
        inside = self.models[0](features, training=training)
        domains, tasks = self.inputs_record.domains, self.inputs_record.tasks
        domain_ids = domains_of(features, inside["logits"])
        outputs: Outputs = {}
        for name in ("logits", "probabilities", LOG_DEVIATIONS, REPRESENTATION):
            if name not in inside:
                continue
            shape = (-1, len(domains), len(tasks), *inside[name].shape[2:])
            pairs = ops.reshape(inside[name], shape)
            outputs[name] = of_own_domain(pairs, domain_ids)
        for task in self.gate_names:
            for prefix in (GATES, CONTRIBUTIONS):
                gates = [inside[f"{prefix}{task}@{domain}"] for domain in domains]
                outputs[prefix + task] = of_own_domain(ops.stack(gates, axis=1), domain_ids)
        return {**outputs, **losses_of_encoders([inside]), DOMAIN_ID: domain_ids}
