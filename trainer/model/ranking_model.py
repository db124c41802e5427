"""The model: embedding, sequence encoder, bottom and network, wired by the settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from mtlx.trainer.layers.field_embedding import (
    EMBEDDING_START,
    EmbeddedFeatures,
    FieldEmbedding,
)
from mtlx.trainer.layers.gain import Gain
from mtlx.trainer.layers.shared_rows import for_rows_of, is_shared
from mtlx.trainer.layers.told import (
    is_listening,
    representation_of,
    target_attention,
    with_told,
)
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.model_features import domains_of, two_empty_rows, used_features
from mtlx.trainer.model.scores import of_the_log, scores
from mtlx.trainer.model.several_tables import rows_as_tables, tables_as_rows
from mtlx.trainer.model.target_units import TargetUnits
from mtlx.trainer.model.task_inputs import with_task_inputs
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import DOMAIN_ID, ModelInputs

_NEEDS_FIELDS = "but network {!r} reads the embedded fields, the same for all tasks"


def composes(network: str, task: str) -> str:
    """Why a network can't stand behind drawn negatives of a task whose logit is corrected."""
    return (
        f"{network!r} composes probabilities, and the odds of {task!r}, whose negatives are drawn, "
        "would enter others: set sampling.correction: weights, or choose a network whose towers "
        "give logits"
    )


class RankingModel(GradientModel):
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
        self.encoder: Any = SEQUENCE_ENCODERS.build(
            settings.sequence_encoder, settings.sequence_options, inputs
        )
        names = self.encoder.sequence_names
        read = tuple(sequence for sequence in inputs.sequences if sequence.name in names)
        self._read = replace(inputs, sequences=read)
        network = NETWORKS.build(settings.network, settings.options, inputs)
        tables = network.embedding_tables
        self.embedding = FieldEmbedding(self._read, settings.embedding_size, tables)
        self.gain: Gain | None = None
        if names and self.encoder.normalises_interests:
            self.gain = Gain(EMBEDDING_START)
        self.bottom: Any = BOTTOMS.build(settings.bottom, settings.bottom_options, inputs)
        self.network = network
        self.units = TargetUnits(inputs.tasks) if inputs.regressions else None
        self.embedding.numbered = self.network.tells_ids_apart
        self._check_fit(settings)
        self.gate_names = dict(self.network.gate_names)
        self.encoder_losses = self.encoder.default_losses if names else ()
        self.default_losses = (*self.network.default_losses, *self.encoder_losses)
        self(two_empty_rows(inputs))

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
                may be absent where there is one domain. Those of one row, beside others of B,
                stand for all rows: they are embedded once, and their sequences encoded once as
                far as that does not depend on the target item.
            training: whether dropout is on, and logits are those that losses take: of a task whose
                negatives were drawn at the rate of the rows that train, and else of the log.

        Returns:
            "logits" and "probabilities", ``(B, T)`` float32 in the order of the tasks, and the
            network's intermediates, such as "gates/<task>" ``(B, n)``. The two always agree:
            for a network that composes probabilities itself the logits are those of the
            composed probabilities. Of a task whose labels are numbers the "probability" is the
            predicted number, see `TargetUnits`. "domain_id" ``(B,)`` is passed through. In training
            there may be "losses/<name>" ``(B,)`` of the encoder. While somebody listens there are
            the outputs of `mtlx.trainer.layers.told` besides.
        """
        embedded = self.embedding(used_features(self._read, features))
        embedded = tables_as_rows(self._with_rows(embedded), self.embedding.tables)
        behaviours = (embedded.sequences, embedded.masks, embedded.target)
        interests, told = with_told(self.encoder, *behaviours, training=training)
        interests, of_encoder = interests if isinstance(interests, tuple) else (interests, {})
        if self.gain is not None:
            interests = self.gain(interests)
        if interests is not None:
            interests = for_rows_of(interests, embedded.fields)
        fields = self.bottom(embedded.fields, interests, training=training)
        told, fields, of_encoder = rows_as_tables(told, fields, of_encoder, self.embedding.tables)
        domain_ids = domains_of(features, fields)
        ids = embedded.field_ids
        network = self._telling_network if is_listening() else self.network
        several = self.network.takes_task_inputs or self.embedding.tables > 1
        if len(fields.shape) == 4 and not several:
            names = [task.name for task in self.inputs_record.tasks]
            outputs = with_task_inputs(network, names, fields, ids, domain_ids, training)
        else:
            outputs = dict(network(fields, ids, domain_ids, training=training))
        of_encoder = {**of_encoder, **target_attention(told, self.encoder.target_place)}
        found = scores(outputs)
        if not training:
            found = of_the_log(found, self.inputs_record.tasks)
        if self.units is not None:
            found = self.units(found)
        return {**outputs, **found, **of_encoder, DOMAIN_ID: domain_ids}

    def _with_rows(self, embedded: EmbeddedFeatures) -> EmbeddedFeatures:
        """Sequences of every row, where the encoder takes no others."""
        parts = list(embedded.sequences.values())
        alike = all(is_shared(part) for part in parts)
        if self.encoder.shares_behaviours and self.embedding.tables == 1 and alike:
            return embedded
        fields = embedded.fields
        sequences, masks = (
            {name: for_rows_of(values, fields) for name, values in given.items()}
            for given in (embedded.sequences, embedded.masks)
        )
        return embedded._replace(sequences=sequences, masks=masks)

    def _telling_network(
        self, *arguments: keras.KerasTensor, training: bool
    ) -> dict[str, keras.KerasTensor]:
        """The network's outputs, and what it tells."""
        outputs, told = with_told(self.network, *arguments, training=training)
        return {**outputs, **representation_of(told, len(self.inputs_record.tasks))}

    @property
    def embeddings(self) -> list[FieldEmbedding]:
        """The embedding stages: one here, several in an arrangement of models."""
        return [self.embedding]

    @property
    def fusion_variables(self) -> list[keras.Variable]:
        """The network's, see `mtlx.trainer.networks.network`."""
        return self.network.fusion_variables

    def drop_training_parts(self) -> None:
        """Drops what only the training needs; called once, before the model is exported."""
        self.network.drop_training_parts()

    def _check_fit(self, settings: ModelSettings) -> None:
        """Refuses a network that reads fields behind parts that leave none, and one that knows
        probabilities alone for a task that has none.
        """
        numbers = self.inputs_record.regressions
        if numbers and not self.network.takes_regressions:
            text = (
                f"{settings.network!r} composes probabilities, and task {numbers[0]!r} is a "
                "regression: choose a network whose towers give logits"
            )
            raise SettingsError([(("network",), text)])
        drawn = [task.name for task in self.inputs_record.tasks if task.kept_negatives < 1.0]
        if drawn and not self.network.takes_correction:
            raise SettingsError([(("network",), composes(settings.network, drawn[0]))])
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
