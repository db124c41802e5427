"""The model: embedding, sequence encoder and network, wired by the settings."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from trainer.layers.field_embedding import FieldEmbedding
from trainer.networks import NETWORKS
from trainer.sequence_encoders import SEQUENCE_ENCODERS
from trainer.settings import ModelSettings
from transform.model_inputs import DOMAIN_ID, ModelInputs

#: Composed probabilities are kept so far from 0 and 1.
SMALLEST_PROBABILITY = 1e-7


class RankingModel(keras.Model):
    """Logits and probabilities of all tasks from transformed features.

    The categorical and numeric features and the interests of the sequence encoder are fields of
    equal width, in that order; the network takes them from there. All weights exist when the
    constructor returns; their values follow `keras.utils.set_random_seed`.

    Args:
        inputs: features, domains and tasks.
        settings: network, encoder, embedding size.

    Attributes:
        gate_names: task to the names of the experts whose weights "gates/<task>" holds, in
            order; empty for a network without gates.

    Raises:
        SettingsError: an unknown network or encoder, or wrong options of one.
        ValueError: no feature to embed.
    """

    def __init__(self, inputs: ModelInputs, settings: ModelSettings):
        super().__init__()
        self.inputs_record = inputs
        self.embedding = FieldEmbedding(inputs, settings.embedding_size)
        self.encoder = SEQUENCE_ENCODERS.build(
            settings.sequence_encoder, settings.sequence_options, inputs
        )
        self.network = NETWORKS.build(settings.network, settings.options, inputs)
        self.gate_names: dict[str, list[str]] = dict(getattr(self.network, "gate_names", {}))
        self(self._two_empty_rows())

    def call(
        self, features: Mapping[str, keras.KerasTensor], training: bool = False
    ) -> dict[str, keras.KerasTensor]:
        """Scores one batch.

        Args:
            features: transformed features by name; others (labels) are ignored. "domain_id"
                may be absent where there is one domain.
            training: whether dropout is on.

        Returns:
            "logits" and "probabilities", ``(B, T)`` float32 in the order of the tasks, and the
            network's intermediates, such as "gates/<task>" ``(B, n)``. The two always agree:
            for a network that composes probabilities itself the logits are those of the
            composed probabilities.
        """
        embedded = self.embedding(self._used(features))
        fields = embedded.fields
        interests = self.encoder(embedded.sequences, embedded.masks, embedded.target)
        if interests is not None:
            fields = ops.concatenate([fields, interests], axis=1)  # (B, F, k)
        domain_ids = features.get(DOMAIN_ID)
        if domain_ids is None:
            domain_ids = ops.zeros(ops.shape(fields)[:1], dtype="int64")
        outputs = dict(self.network(fields, embedded.field_ids, domain_ids, training=training))
        return {**outputs, **_scores(outputs)}

    def _used(self, features: Mapping[str, keras.KerasTensor]) -> dict[str, keras.KerasTensor]:
        record = self.inputs_record
        names = [f.name for f in (*record.categorical, *record.numeric, *record.sequences)]
        missing = [name for name in names if name not in features]
        if len(record.domains) > 1 and DOMAIN_ID not in features:
            missing.append(DOMAIN_ID)
        if missing:
            raise ValueError(
                f"features {missing} are missing from the model's input; it has {sorted(features)}"
            )
        return {name: features[name] for name in names}

    def _two_empty_rows(self) -> dict[str, np.ndarray]:
        record = self.inputs_record
        rows: dict[str, np.ndarray] = {DOMAIN_ID: np.zeros(2, "int64")}
        rows.update({field.name: np.zeros(2, "int64") for field in record.categorical})
        rows.update({field.name: np.zeros(2, "float32") for field in record.numeric})
        for field in record.sequences:
            rows[field.name] = np.zeros((2, field.max_length), "int64")
        return rows


def _scores(outputs: Mapping[str, keras.KerasTensor]) -> dict[str, keras.KerasTensor]:
    """Logits and probabilities that agree, in float32 under mixed precision too."""
    if "probabilities" not in outputs:
        logits = ops.cast(outputs["logits"], "float32")
        return {"logits": logits, "probabilities": ops.sigmoid(logits)}
    probabilities = ops.cast(outputs["probabilities"], "float32")
    probabilities = ops.clip(probabilities, SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY)
    return {
        "logits": ops.log(probabilities) - ops.log1p(-probabilities),
        "probabilities": probabilities,
    }
