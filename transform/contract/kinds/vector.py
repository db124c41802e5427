"""A dense vector, of a text or an image say."""

from typing import TYPE_CHECKING, ClassVar, Literal

import pydantic

from mtlx.transform.contract.kinds.kind import ServedWithout, VocabularySize
from mtlx.transform.contract.kinds.multiple import Separator
from mtlx.transform.contract.model_inputs import ModelInput, VectorInput

if TYPE_CHECKING:
    from mtlx.transform.contract.data_contract import ContractSections


#: A number of a vector is no further from its mean in the training split, in deviations.
MOST_DEVIATIONS = 10.0


class VectorFeature(ServedWithout):
    """A vector that something else has made, of a text, an image or a graph; it makes one field.

    A row whose vector has another length, or a number that is not finite, is malformed. A row
    without one has zeros after the transform, as a missing number has. A number more than ten
    standard deviations away from its mean in the training split counts as one at ten.

    Attributes:
        column: column of the log; the feature's name if None. A list column in Parquet, text with
            separators in CSV.
        size: numbers of each vector.
        standardise: makes the mean of each of the numbers 0 and its standard deviation 1 in the
            training split.
        separator: between the numbers in CSV.
        dropped: known only when training: the served model does not ask for it, and takes it for
            missing.
    """

    holds: ClassVar[Literal["text", "number"]] = "number"
    takes_one: ClassVar[bool] = False

    kind: Literal["vector"]
    column: str | None = None
    size: pydantic.PositiveInt
    standardise: bool = False
    separator: Separator = "|"
    dropped: bool = False

    @property
    def held_as(self) -> str:
        """See `FeatureKind`."""
        return f"vector of {self.size}"

    @property
    def row_bytes(self) -> int:
        """See `FeatureKind`."""
        return 4 * self.size

    @property
    def form(self) -> str:
        """See `FeatureKind`."""
        return f"a{' standardised' if self.standardise else ''} vector of {self.size}"

    def inputs(
        self, name: str, contract: "ContractSections", vocabulary_size: VocabularySize
    ) -> list[ModelInput]:
        """See `FeatureKind`."""
        return [VectorInput(name, self.size)]
