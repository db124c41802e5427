"""The model: embedding, sequence encoder, bottom and network, wired by the settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import ops

from mtlx.trainer.layers.field_embedding import EMBEDDING_START, FieldEmbedding
from mtlx.trainer.layers.gain import Gain
from mtlx.trainer.model.task_inputs import with_task_inputs
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import DOMAIN_ID, ModelInputs

_NEEDS_FIELDS = "but network {!r} reads the embedded fields, the same for all tasks"

#: Composed probabilities are kept so far from 0 and 1.
SMALLEST_PROBABILITY = 1e-7


class RankingModel(keras.Model):
    """Logits and probabilities of all tasks from transformed features.

    The categorical and numeric features and the interests of the sequence encoder are fields of
    equal width, in that order; the bottom makes of them what the network takes. Sequences that
    the encoder does not read are neither embedded nor asked for. Interests that come out of a
    normalisation, a hundred times as large as the embedded fields, are brought to the fields' size
    by a trainable gain, which can grow as fast as embeddings do. All weights
    exist when the constructor returns; their values follow `keras.utils.set_random_seed`.

    Shown to learn:
        What its network, encoder and bottom were shown to learn, see there; a Shared-Bottom in it
        has AUC 0.853 and 0.852 of the possible 0.861 on `own_rules` and 0.769 and 0.768 of 0.792 on
        `small_domain` (`benchmarks.planted_networks`).

    Args:
        inputs: features, domains and tasks.
        settings: network, encoder, bottom, embedding size.

    Attributes:
        gate_names: task to the names of the experts whose weights "gates/<task>" holds, in
            order; empty for a network without gates.
        default_losses: the network's, see `mtlx.trainer.networks.network`, and the encoder's.
        encoder_losses: the encoder's alone; none where there is no sequence.
        inputs_record: what it was built from.
        settings: what it was built by.

    Raises:
        SettingsError: an unknown network, encoder or bottom, wrong options of one, or parts that
            do not fit each other.
        ValueError: no feature to embed.
    """

    def __init__(self, inputs: ModelInputs, settings: ModelSettings):
        super().__init__()
        self.inputs_record, self.settings = inputs, settings
        self.embedding: FieldEmbedding | None = None
        self.gain: Gain | None = None
        self.encoder: Any = None
        self.bottom: Any = None
        self._read = replace(inputs, sequences=())
        if not NETWORKS.get(settings.network).reads_inputs:
            self.encoder = SEQUENCE_ENCODERS.build(
                settings.sequence_encoder, settings.sequence_options, inputs
            )
            names = self.encoder.sequence_names
            read = tuple(sequence for sequence in inputs.sequences if sequence.name in names)
            self._read = replace(inputs, sequences=read)
            self.embedding = FieldEmbedding(self._read, settings.embedding_size)
            if names and self.encoder.normalises_interests:
                self.gain = Gain(EMBEDDING_START)
            self.bottom = BOTTOMS.build(settings.bottom, settings.bottom_options, inputs)
        self.network = NETWORKS.build(settings.network, settings.options, inputs)
        self._check_fit(settings)
        self.gate_names: dict[str, list[str]] = dict(self.network.gate_names)
        has_interests = self.encoder is not None and self.encoder.sequence_names
        self.encoder_losses = self.encoder.default_losses if has_interests else ()
        self.default_losses = (*self.network.default_losses, *self.encoder_losses)
        self(self._two_empty_rows())

    def build(self, *_: object) -> None:
        """Makes nothing: the parts make their weights when first called.

        Without this method Keras would trace a whole call to find out the parts' shapes.
        """

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
            composed probabilities. "domain_id" ``(B,)`` is passed through. In training there may
            be "losses/<name>" ``(B,)`` of the encoder.
        """
        used = self._used(features)
        if self.embedding is None:  # The network reads the features themselves.
            numbers, ids = self._inputs(used)
            domain_ids = _domain_ids(features, ids)
            outputs = self.network(numbers, ids, domain_ids, training=training)
            return {**outputs, **_scores(outputs), DOMAIN_ID: domain_ids}
        embedded = self.embedding(used)
        interests = self.encoder(
            embedded.sequences, embedded.masks, embedded.target, training=training
        )
        interests, of_encoder = interests if isinstance(interests, tuple) else (interests, {})
        if self.gain is not None:
            interests = self.gain(interests)
        fields = self.bottom(embedded.fields, interests, training=training)
        domain_ids = _domain_ids(features, fields)
        ids = embedded.field_ids
        if len(fields.shape) == 4 and not self.network.takes_task_inputs:
            names = [task.name for task in self.inputs_record.tasks]
            outputs = with_task_inputs(self.network, names, fields, ids, domain_ids, training)
        else:
            outputs = dict(self.network(fields, ids, domain_ids, training=training))
        return {**outputs, **_scores(outputs), **of_encoder, DOMAIN_ID: domain_ids}

    @property
    def embeddings(self) -> list[FieldEmbedding]:
        """The embedding stages: one here, several in an arrangement of models."""
        return [] if self.embedding is None else [self.embedding]

    @property
    def fusion_variables(self) -> list[keras.Variable]:
        """The network's, see `mtlx.trainer.networks.network`."""
        return self.network.fusion_variables

    def drop_training_parts(self) -> None:
        """Drops what only the training needs; called once, before the model is exported."""
        self.network.drop_training_parts()

    def _check_fit(self, settings: ModelSettings) -> None:
        """Refuses a network that reads fields or inputs behind parts that leave none."""
        if self.network.reads_inputs:
            self._check_nothing_before(settings)
        if not self.network.reads_fields:
            return
        problems = []
        if self.encoder.task_specific and self.encoder.sequence_names:
            problems.append(
                (
                    ("sequence_encoder",),
                    f"{settings.sequence_encoder!r} gives every "
                    f"task interests of its own, {_NEEDS_FIELDS.format(settings.network)}",
                )
            )
        if settings.bottom != "none":
            problems.append(
                (
                    ("bottom",),
                    f"{settings.bottom!r} makes one vector of the fields, "
                    f"{_NEEDS_FIELDS.format(settings.network)}: choose 'none'",
                )
            )
        if problems:
            raise SettingsError(problems)

    def _check_nothing_before(self, settings: ModelSettings) -> None:
        """Refuses parts that a network which reads the features themselves would pass by."""
        chosen = {"bottom": settings.bottom != "none"}
        chosen["sequence_encoder"] = (
            bool(self.inputs_record.sequences) and settings.sequence_encoder != "none"
        )
        text = f"network {settings.network!r} reads the features themselves: choose 'none'"
        problems = [((part,), text) for part, is_chosen in chosen.items() if is_chosen]
        if problems:
            raise SettingsError(problems)

    def _inputs(
        self, features: Mapping[str, keras.KerasTensor]
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Numbers ``(B, N)`` float32 and ids ``(B, C)`` int64, without embedding."""
        record = self.inputs_record
        rows = ops.shape(features[record.fields[0].name])[0]
        ids = [ops.cast(features[field.name], "int64") for field in record.categorical]
        numbers = [ops.cast(features[field.name], "float32") for field in record.numeric]
        return (
            ops.stack(numbers, axis=1) if numbers else ops.zeros((rows, 0), "float32"),
            ops.stack(ids, axis=1) if ids else ops.zeros((rows, 0), "int64"),
        )

    def _used(self, features: Mapping[str, keras.KerasTensor]) -> dict[str, keras.KerasTensor]:
        record = self._read
        names = [field.name for field in record.fields]
        names += [key for sequence in record.sequences for key in sequence.keys]
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
            rows |= {key: np.zeros((2, field.max_length), "int64") for key in field.keys}
        return rows


def _domain_ids(
    features: Mapping[str, keras.KerasTensor], rows: keras.KerasTensor
) -> keras.KerasTensor:
    """The rows' domains; that of one domain where the features hold none."""
    domain_ids = features.get(DOMAIN_ID)
    return ops.zeros(ops.shape(rows)[:1], dtype="int64") if domain_ids is None else domain_ids


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
