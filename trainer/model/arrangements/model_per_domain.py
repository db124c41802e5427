"""-MTL: one multi-task model per domain."""

import dataclasses
from collections.abc import Mapping

import keras
from keras import ops

from mtlx.trainer.layers.domain.own_domain import of_own_domain
from mtlx.trainer.model.arrangements.arranged_model import (
    ArrangedModel,
    Outputs,
)
from mtlx.trainer.model.model_features import domains_of
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import DOMAIN_ID, ModelInputs


class ModelPerDomain(ArrangedModel):
    """D multi-task models that share nothing, embeddings included (-MTL of M3oE's Table 2).

    A row is scored by its own domain's model, and trains that one alone.

    Shown to learn:
        Own rules of domains, and nothing from one domain to another. Around a Shared-Bottom, AUC
        0.856 and 0.856 of the possible 0.861 where domains have rules of their own, and 0.575 and
        0.527 of 0.792 for a domain of 80 rows that follows the same rule as the large ones; without
        arrangement 0.853 and 0.852 and 0.769 and 0.768 (`benchmarks.planted_networks`; seeds 1 and
        2).

    Args:
        inputs: features, domains and tasks.
        settings: of each model inside.
    """

    def __init__(self, inputs: ModelInputs, settings: ModelSettings):
        alone = [dataclasses.replace(inputs, domains=(domain,)) for domain in inputs.domains]
        super().__init__(inputs, [RankingModel(record, settings) for record in alone])
        self.gate_names = self.models[0].gate_names
        self.default_losses = self.models[0].default_losses

    def call(self, features: Mapping[str, keras.KerasTensor], training: bool = False) -> Outputs:
        """See `RankingModel`."""
        without = {name: value for name, value in features.items() if name != DOMAIN_ID}
        parts = [model(without, training=training) for model in self.models]
        domain_ids = domains_of(features, parts[0]["logits"])
        outputs = {
            name: of_own_domain(ops.stack([part[name] for part in parts], axis=1), domain_ids)
            for name in parts[0]
        }
        return {**outputs, DOMAIN_ID: domain_ids}
