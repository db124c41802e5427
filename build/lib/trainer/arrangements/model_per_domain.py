"""-MTL: one multi-task model per domain."""

import dataclasses
from collections.abc import Mapping

import keras
from keras import ops

from trainer.arrangements.arranged_model import (
    ArrangedModel,
    Outputs,
    domains_of,
)
from trainer.layers.own_domain import of_own_domain
from trainer.ranking_model import RankingModel
from trainer.settings import ModelSettings
from transform.model_inputs import DOMAIN_ID, ModelInputs


class ModelPerDomain(ArrangedModel):
    """D multi-task models that share nothing, embeddings included (-MTL of M3oE's Table 2).

    A row is scored by its own domain's model, and trains that one alone.

    Args:
        inputs: features, domains and tasks.
        settings: of each model inside.
    """

    def __init__(self, inputs: ModelInputs, settings: ModelSettings):
        alone = [dataclasses.replace(inputs, domains=(domain,)) for domain in inputs.domains]
        super().__init__(inputs, [RankingModel(record, settings) for record in alone])
        self.gate_names = dict(self.models[0].gate_names)
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
