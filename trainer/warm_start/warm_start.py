"""Gives a new model the weights of a base model, embeddings by value."""

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow_transform as tft
from absl import logging

from mtlx.trainer.distribution.sharded_tables import ShardedTables
from mtlx.trainer.distribution.share import Shard
from mtlx.trainer.layers.field_embedding import FieldEmbedding
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.settings import ModelSettings, WarmStartSettings
from mtlx.trainer.warm_start.base_model import BaseModel, BaseModelError
from mtlx.trainer.warm_start.differences import (
    contract_differences,
    model_differences,
    weight_changes,
)
from mtlx.trainer.warm_start.domain_weights import domain_weights
from mtlx.trainer.warm_start.embedding_rows import (
    Vocabularies,
    embedding_rows,
    field_rows,
)
from mtlx.trainer.warm_start.optimizer_state import give_optimizer_state
from mtlx.trainer.warm_start.row_map import RowMap
from mtlx.transform.analysis.analysis import vocabulary_name, vocabulary_requests
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import ModelInputs

#: Of all that differs, so much is named.
_NAMED = 8


class WarmStart:
    """Begins a training with a base model; see `mtlx.trainer.model.start.Start`.

    A weight of the base model is taken over by its name, as it is, but for these:

    - the rows of embedding tables, and the numbers that interactions tell values apart by, go
      with their values: vocabularies may stand in another order, may have grown, and may have
      lost values;
    - pretrained vectors go with their values where they are trained further; those that are not
      are today's file's;
    - weights with one row per domain go with the domains' names, moving statistics included.

    Nothing is taken over where anything else differs.

    Shown to learn:
        What took epochs on yesterday's rows is there before the first step: trained for none, every
        network predicts what its base model predicts, to 1e-6, for vocabularies in another order
        (`test_contract`). After one epoch on 256 rows of a second day AUC is 0.79 to 0.82 from the
        first day's weights, 0.61 to 0.72 from random ones (`test_warm_start_helps`, two seeds).

    Args:
        settings: what is done about new values, and about what does not fit.
        base: the base model.
        contract: today's data contract.
        model: settings of the model to train.
        inputs: what it is built from.
        vocabularies: today's, a feature's name to its values in the order of their ids.
        build: makes a model of those settings.

    Attributes:
        notes: what was taken over, in words, once it is.
    """

    def __init__(
        self,
        settings: WarmStartSettings,
        base: BaseModel,
        contract: DataContract,
        model: ModelSettings,
        inputs: ModelInputs,
        vocabularies: Callable[[str], list[bytes]],
        build: Callable[[ModelInputs], Scorer],
    ) -> None:
        self._settings, self._base = settings, base
        self._contract, self._model, self._inputs = contract, model, inputs
        self._vocabularies = Vocabularies(contract, vocabularies, base.vocabulary)
        self._build = build
        self._rows: dict[str, RowMap] = {}
        self._fits = False
        self.notes: list[str] = []

    def give_weights(self, model: GradientModel) -> None:
        """See `mtlx.trainer.model.start.Start`.

        Raises:
            BaseModelError: the base model does not fit, and settings don't say `otherwise`.
        """
        names = weight_names(model.variables)
        today = dict(zip(names, model.variables, strict=True))
        problems = self._problems()
        if not problems:
            self._rows = self._row_maps(model, today, problems)
        values: dict[str, np.ndarray] = {}
        if not problems:
            found = self._base.weights()
            numbers, kept = _numbers_of(model), _kept_of(model)
            for name, variable in today.items():
                if name not in found:
                    problems.append(f"weight {name} is not among those of the base model")
                    continue
                if id(variable) in kept:
                    values[name] = keras.ops.convert_to_numpy(variable)
                else:
                    values[name] = self._value(name, variable, found[name], numbers)
                if values[name].shape != tuple(variable.shape):
                    shapes = list(variable.shape), list(found[name].shape)
                    problems.append(
                        "weight {} is {}, that of the base model {}".format(name, *shapes)
                    )
            problems += [f"weight {name} has no place" for name in found if name not in today]
        if problems:
            self._refuse(problems)
            return
        for name, value in values.items():
            today[name].assign(value)
        self._fits = True
        self._describe(len(values))

    def give_state(self, groups: Mapping[str, Sequence[keras.Variable]]) -> int:
        """See `mtlx.trainer.model.start.Start`."""
        if not self._fits:
            return 0
        state = self._base.state(None if self._settings.optimizer else "loss")
        loss = dict(zip(weight_names(groups["loss"]), groups["loss"], strict=True))
        found = state.get("loss", {})
        shapes = {name: tuple(variable.shape) for name, variable in loss.items()}
        if shapes == {name: value.shape for name, value in found.items()}:
            for name, variable in loss.items():
                variable.assign(found[name])
        elif loss:
            self._note("The losses' own weights start anew: those of the base model are others.")
        if not self._settings.optimizer:
            return 0
        steps = give_optimizer_state(groups, state, self._rows)
        if steps is None:
            self._note(
                "The optimiser starts anew: the base model holds no state, or another optimiser's."
            )
            return 0
        self._note(f"The optimiser goes on after {steps:,} steps.")
        return steps

    def _problems(self) -> list[str]:
        """What can be told without weights."""
        record = self._base.record
        return [
            *model_differences(self._model, record.model),
            *contract_differences(self._contract, record.contract),
        ]

    def _row_maps(
        self, model: GradientModel, today: Mapping[str, keras.Variable], problems: list[str]
    ) -> dict[str, RowMap]:
        """The weights whose rows move, by name."""
        maps: dict[str, RowMap] = {}
        place = {id(variable): name for name, variable in today.items()}
        for embedding in model.embeddings:
            if not embedding.rows:
                continue
            rows = embedding_rows(embedding.inputs, self._base.inputs, self._vocabularies)
            for variable in _by_row(embedding):
                shard = _shard(embedding, variable)
                own = rows if shard is None else rows.of_share(shard.share)
                maps[place[id(variable)]] = own
            sizes = {field.name: field.cardinality for field in self._base.inputs.tables}
            for field, table in embedding.pretrained.items():
                maps[place[id(table.vectors)]] = field_rows(
                    field, table.rows, sizes[field], self._vocabularies
                )
        domains, before = self._contract.domains, self._base.record.contract.domains
        if domains == before:
            return maps
        if not set(domains) & set(before):
            problems.append(f"no domain is one of the base model's: {', '.join(before)}")
            return maps
        names = domain_weights(self._build, self._inputs)
        if names is None:
            problems.append(
                f"domain.values is {', '.join(domains)}, that of the base model "
                f"{', '.join(before)}, and this model has weights that can't be told apart by "
                "domain: keep the values and their order"
            )
            return maps
        rows = RowMap.of_names(domains, before)
        return {**maps, **dict.fromkeys(names, rows)}

    def _value(
        self, name: str, variable: keras.Variable, old: np.ndarray, numbers: set[int]
    ) -> np.ndarray:
        """Today's value of a weight."""
        if name not in self._rows:
            return old
        if id(variable) in numbers:
            return self._rows[name].place_numbers(old)
        new = np.array(keras.ops.convert_to_numpy(variable))
        if old.shape[1:] != new.shape[1:]:
            return old  # which is refused
        return self._rows[name].place(old, new, mean=self._settings.new_rows == "mean")

    def _refuse(self, problems: list[str]) -> None:
        shown = "; ".join(problems[:_NAMED])
        if len(problems) > _NAMED:
            shown += f"; and {len(problems) - _NAMED} more"
        if self._settings.otherwise == "initial":
            self._note(
                f"Trained from the start: the base model {self._base.folder} does not fit: {shown}."
            )
            return
        raise BaseModelError(
            f"training.warm_start: the base model {self._base.folder} does not fit: {shown}. Take "
            "that back, or train from the start: set warm_start.otherwise to initial"
        )

    def _describe(self, weights: int) -> None:
        self._note(f"Warm start from {self._base.folder}: {weights} weights taken over.")
        for line in self._vocabularies.describe():
            self._note(line)
        for line in weight_changes(self._contract, self._base.record.contract):
            self._note(line)
        domains, before = self._contract.domains, self._base.record.contract.domains
        if domains != before:
            new = [name for name in domains if name not in before]
            gone = [name for name in before if name not in domains]
            shown = ", ".join(new) or "none", ", ".join(gone) or "none"
            self._note("Domains by name: new {}, gone {}.".format(*shown))

    def _note(self, text: str) -> None:
        logging.info(text)
        self.notes.append(text)


def vocabularies_of(
    contract: DataContract, transformed: tft.TFTransformOutput
) -> Callable[[str], list[bytes]]:
    """The vocabularies of a finished transform, by feature.

    Args:
        contract: the data contract.
        transformed: output of the Transform run with it.
    """
    asked = vocabulary_requests(contract)

    def vocabulary(feature: str) -> list[bytes]:
        if feature not in asked:
            raise KeyError(f"feature {feature!r} has no vocabulary")
        found: list[bytes] = transformed.vocabulary_by_name(vocabulary_name(feature))
        return found

    return vocabulary


def _by_row(embedding: FieldEmbedding) -> list[keras.Variable]:
    """The weights with one row for each id."""
    return [embedding.table, *([embedding.numbers] if embedding.numbers is not None else [])]


def _shard(embedding: FieldEmbedding, variable: keras.Variable) -> Shard | None:
    """What a weight is of the whole, where several workers share out the rows of a table."""
    tables = embedding.tables_made_by
    return tables.shard(variable) if isinstance(tables, ShardedTables) else None


def _kept_of(model: GradientModel) -> set[int]:
    """Weights of pretrained vectors that are not trained: the file says what they are."""
    tables = [table for one in model.embeddings for table in one.pretrained.values()]
    frozen = [table.vectors for table in tables if not table.table.trainable]
    return {id(variable) for variable in (*frozen, *(table.known for table in tables))}


def _numbers_of(model: GradientModel) -> set[int]:
    """Those of them that are numbers to tell values apart by."""
    return {id(one.numbers) for one in model.embeddings if one.numbers is not None}
