"""Behaviour sequences."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import pydantic

from mtlx.transform.contract.kinds.kind import FeatureKind, VocabularySize
from mtlx.transform.contract.model_inputs import ModelInput, SequenceInput, SequencePart

if TYPE_CHECKING:
    from mtlx.transform.contract.data_contract import ContractSections


class SequenceFeature(FeatureKind):
    """A behaviour sequence, oldest first, of values of a categorical feature, or of several.

    With several a behaviour is all of them together, item and category say, in columns that stand
    beside each other: the n-th value of each is of the n-th behaviour, and rows whose lists differ
    in length are malformed. ``clicks`` of ``[item, category]`` becomes two features here,
    ``clicks`` of ``item`` and ``clicks.category`` beside it, each with its column.

    Attributes:
        of: the categorical feature whose vocabulary and embedding it shares; or a list of
            features that are a behaviour together.
        column: column of the log; the feature's name if None. A list column in Parquet, text
            with separators in CSV.
        columns: instead of `column` where `of` is a list: a column for each, in its order.
        beside: name of the sequence of whose behaviours these are further values. A list in `of`
            says the same shorter.
        max_length: the most recent so many are kept.
        separator: between the items in CSV.
    """

    takes_one: ClassVar[bool] = False

    kind: Literal["sequence"]
    of: str | Annotated[list[str], pydantic.Field(min_length=2)]
    column: str | None = None
    columns: list[str] | None = None
    beside: str | None = None
    max_length: pydantic.PositiveInt = 50
    separator: Annotated[str, pydantic.Field(min_length=1, max_length=1)] = "|"

    @pydantic.model_validator(mode="after")
    def _a_column_for_each(self) -> "SequenceFeature":
        if isinstance(self.of, str):
            if self.columns is not None:
                raise ValueError("'columns' is for a list in 'of'; name the one as 'column'")
            return self
        if len(set(self.of)) != len(self.of):
            raise ValueError(f"of names a feature twice: {self.of}")
        if self.column is not None or self.beside is not None or self.columns is None:
            raise ValueError(
                f"a list in 'of' takes 'columns', neither 'column' nor 'beside': name one column "
                f"for each of {self.of}"
            )
        if len(self.columns) != len(self.of):
            raise ValueError(f"columns {self.columns} should be one for each of {self.of}")
        return self

    def parts(self, name: str) -> Mapping[str, "SequenceFeature"]:
        """This feature, called `name`, as one sequence for each of `of`, by their names."""
        if isinstance(self.of, str):
            return {name: self}
        found = {}
        for index, (of, column) in enumerate(zip(self.of, self.columns or (), strict=True)):
            beside = name if index else None
            found[f"{name}.{of}" if index else name] = SequenceFeature(
                kind=self.kind,
                of=of,
                column=column,
                beside=beside,
                max_length=self.max_length,
                separator=self.separator,
            )
        return found

    @property
    def item(self) -> str:
        """The one feature that it is `of`; a contract's sequences have one each, see `parts`."""
        if not isinstance(self.of, str):
            raise ValueError(f"is of several features, {self.of}: take its parts")
        return self.of

    def vocabulary_of(self, name: str) -> str | None:
        """See `FeatureKind`."""
        return self.item

    @property
    def row_bytes(self) -> int:
        """See `FeatureKind`."""
        return 8 * self.max_length

    @property
    def form(self) -> str:
        """See `FeatureKind`."""
        beside = f" beside {self.beside}" if self.beside else ""
        return f"a sequence of {self.item}{beside}"

    def inputs(
        self, name: str, contract: "ContractSections", vocabulary_size: VocabularySize
    ) -> list[ModelInput]:
        """See `FeatureKind`; what stands beside another sequence is a part of that."""
        if self.beside is not None:
            return []
        parts = [
            SequencePart(part, contract.sequence(part).item) for part in contract.parts(name)[1:]
        ]
        return [SequenceInput(name, self.item, self.max_length, tuple(parts))]
