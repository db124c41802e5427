"""Several values out of a set in one field, and their weights."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import pydantic

from mtlx.transform.contract.kinds.ids import IdKind, Vocabulary
from mtlx.transform.contract.kinds.kind import FeatureKind, VocabularySize
from mtlx.transform.contract.kinds.pretrained import Pretrained
from mtlx.transform.contract.model_inputs import ModelInput, MultipleInput

if TYPE_CHECKING:
    from mtlx.transform.contract.data_contract import ContractSections

#: Between the values of a row in text.
Separator = Annotated[str, pydantic.Field(min_length=1, max_length=1)]


class MultipleFeature(IdKind):
    """Several values out of a set in one row (genres, tags), which make one field.

    The field is the values' embeddings, pooled; a row without values has a vector of its own. A
    value that is missing, or has the weight 0, is as if it were not there. What stands in two
    columns are two features, ``genres`` and ``genres.weights``, each with its column.

    Attributes:
        column: column of the log; the feature's name if None. A list column in Parquet, text with
            separators in CSV.
        vocabulary: ids by frequency, of all values together.
        hash_buckets: ids by a stable hash of the text, instead of a vocabulary.
        pooling: ``sum`` of the embeddings, each times its weight; ``mean``, that divided by the
            sum of the weights; ``sqrt_n``, divided by the root of the sum of their squares. Weights
            are 1 where none are named.
        weights: column with one weight for each value, none of them negative. One above the
            largest of the training split counts as that one.
        weight_mark: instead, what stands between value and weight in each item, ``:`` say in
            ``drama:0.7``; of several such marks in an item the last counts.
        max_values: the first so many values of a row are kept.
        separator: between the values in CSV.
        pretrained: vectors of the vocabulary's values, learnt elsewhere.
        dropped: known only when training: the served model does not ask for it, and takes it for a
            row without values.
    """

    takes_one: ClassVar[bool] = False

    kind: Literal["categorical"]
    multiple: Literal[True]
    column: str | None = None
    vocabulary: Vocabulary = Vocabulary()
    hash_buckets: pydantic.PositiveInt | None = None
    pooling: Literal["sum", "mean", "sqrt_n"] = "mean"
    weights: str | None = None
    weight_mark: Separator | None = None
    max_values: pydantic.PositiveInt = 20
    separator: Separator = "|"
    pretrained: Pretrained | None = None
    dropped: bool = False

    @pydantic.model_validator(mode="after")
    def _one_place_for_weights(self) -> "MultipleFeature":
        if self.weights is not None and self.weight_mark is not None:
            raise ValueError(
                "weights stand in a column ('weights') or in the items ('weight_mark'), not both"
            )
        if self.weight_mark == self.separator:
            raise ValueError(
                f"weight_mark and separator are both {self.separator!r}: take another weight_mark"
            )
        return self

    def parts(self, name: str) -> Mapping[str, FeatureKind]:
        """See `FeatureKind`."""
        if self.weights is None and self.weight_mark is None:
            return {name: self}
        weights = WeightsFeature(
            kind="weights",
            of=name,
            column=self.weights or self.column or name,
            mark=self.weight_mark,
            separator=self.separator,
        )
        alone = self.model_copy(update={"weights": None, "weight_mark": None})
        return {name: alone, f"{name}.weights": weights}

    @property
    def held_as(self) -> str:
        """See `FeatureKind`."""
        return "several categories"

    @property
    def row_bytes(self) -> int:
        """See `FeatureKind`."""
        return 12 * self.max_values  # With weights, which most have.

    @property
    def form(self) -> str:
        """See `FeatureKind`."""
        return f"categorical (several values, {self.pooling}, {self.ids_form})"

    def inputs(
        self, name: str, contract: "ContractSections", vocabulary_size: VocabularySize
    ) -> list[ModelInput]:
        """See `FeatureKind`."""
        return [
            MultipleInput(
                name,
                self.cardinality(name, vocabulary_size),
                self.max_values,
                self.pooling,
                contract.weights_of(name),
                self.table,
            )
        ]


class WeightsFeature(FeatureKind):
    """Weights of the values of a feature with several; `weights` there says the same shorter.

    Attributes:
        of: name of the feature whose values they are of.
        column: column of the log; the feature's name if None.
        mark: what stands between value and weight where both are in one column.
        separator: between the weights in CSV.
    """

    holds: ClassVar[Literal["text", "number"]] = "number"
    takes_one: ClassVar[bool] = False

    kind: Literal["weights"]
    of: str
    column: str | None = None
    mark: Separator | None = None
    separator: Separator = "|"

    @property
    def form(self) -> str:
        """See `FeatureKind`."""
        return f"weights of {self.of}"

    @property
    def row_bytes(self) -> int:
        """See `FeatureKind`; nothing of their own, the values tell how many there are."""
        return 0

    def inputs(
        self, name: str, contract: "ContractSections", vocabulary_size: VocabularySize
    ) -> list[ModelInput]:
        """Nothing of its own: the feature that they are of names them."""
        return []
