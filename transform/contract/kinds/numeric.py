"""A number, in one form or several."""

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import pydantic

from mtlx.transform.contract.kinds.kind import ServedWithout, VocabularySize
from mtlx.transform.contract.model_inputs import (
    FIRST_VALUE_ID,
    CategoricalInput,
    ModelInput,
    NumericInput,
)

if TYPE_CHECKING:
    from mtlx.transform.contract.data_contract import ContractSections

#: What can be made of a number.
NumericTransform = Literal["zscore", "log", "min_max", "quantile_buckets", "none"]
#: One or several of them; told apart first, so that an error speaks of what was meant.
NumericTransforms = Annotated[
    Annotated[NumericTransform, pydantic.Tag("one")]
    | Annotated[list[NumericTransform], pydantic.Tag("several")],
    pydantic.Discriminator(lambda value: "several" if isinstance(value, list) else "one"),
]


class NumericFeature(ServedWithout):
    """A number.

    Attributes:
        column: column of the log; the feature's name if None.
        transform: ``zscore``; ``log``, sign(x)·log(1 + |x|); ``min_max`` to [0, 1];
            ``quantile_buckets``, which gives ids as a categorical feature has; ``none``.
            Means, ranges and quantiles are those of the training split. A missing number
            becomes 0 after the transform, or the id of a missing value. A list, say ``[log,
            quantile_buckets]``, makes a field of the model of each: ``NAME.log`` and
            ``NAME.quantile_buckets``. The column is read, checked and served once.
        buckets: number of quantile buckets.
        buckets_of: what the quantiles are of. ``rows``: each bucket holds equally many rows; a
            value that many rows have fills buckets by itself, and the other values share what
            is left. ``distinct``: each bucket holds equally many of the values that occur,
            however often each does; for numbers that are mostly 0, or another value. Up to
            262,144 distinct values that is exact, of more it is by a sample of so many of them.
        clip: ``training_range`` takes a number outside the range of the training split for the
            nearest end of that range, before the transform: what a model does far away from all
            that it was trained on is chance. ``none`` takes it as it is. ``min_max`` and
            ``quantile_buckets`` are bounded either way.
        serve_as: known only when training (the position that a row was shown at): the served
            model does not ask for it, and takes this number for it in every row.
        dropped: likewise, but the served model takes it for missing.
    """

    holds: ClassVar[Literal["text", "number"]] = "number"
    added: ClassVar[tuple[str, ...]] = ("serve_as", "dropped")

    kind: Literal["numeric"]
    column: str | None = None
    transform: NumericTransforms = "zscore"
    buckets: Annotated[int, pydantic.Field(ge=2)] = 20
    buckets_of: Literal["rows", "distinct"] = "rows"
    clip: Literal["training_range", "none"] = "training_range"
    serve_as: float | None = None
    dropped: bool = False

    @pydantic.field_validator("serve_as", mode="before")
    @classmethod
    def _a_number(cls, value: Any) -> Any:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is None or number and math.isfinite(value):
            return value
        raise ValueError(
            "serve_as of a numeric feature is a number (to serve it as missing set dropped: true). "
            f"Received: {value!r}"
        )

    @pydantic.model_validator(mode="after")
    def _one_way_to_serve(self) -> "NumericFeature":
        if self.dropped and self.serve_as is not None:
            raise ValueError("give either 'serve_as' or 'dropped', not both")
        return self

    @pydantic.field_validator("transform")
    @classmethod
    def _transforms_once_each(
        cls, value: NumericTransform | list[NumericTransform]
    ) -> NumericTransform | list[NumericTransform]:
        if not value:
            raise ValueError("name at least one transform")
        if isinstance(value, list) and len(set(value)) != len(value):
            raise ValueError(f"names a transform twice: {value}")
        return value

    @pydantic.model_validator(mode="after")
    def _buckets_are_asked_for(self) -> "NumericFeature":
        if self.buckets_of != "rows" and "quantile_buckets" not in self.transforms:
            raise ValueError(
                f"buckets_of is {self.buckets_of!r}, but transform asks for no buckets: add "
                "quantile_buckets to it, or leave out buckets_of"
            )
        return self

    @property
    def transforms(self) -> tuple[NumericTransform, ...]:
        """All transforms, in the order of the fields that they make."""
        return (self.transform,) if isinstance(self.transform, str) else tuple(self.transform)

    def fields(self, name: str) -> dict[str, NumericTransform]:
        """The model's fields and the transform of each.

        Args:
            name: of the feature; its only field has that name, several have the transform's
                behind it.
        """
        if len(self.transforms) == 1:
            return {name: self.transforms[0]}
        return {f"{name}.{transform}": transform for transform in self.transforms}

    @property
    def is_training_only(self) -> bool:
        """See `FeatureKind`."""
        return self.dropped or self.serve_as is not None

    @property
    def row_bytes(self) -> int:
        """See `FeatureKind`."""
        return sum(8 if form == "quantile_buckets" else 4 for form in self.transforms)

    @property
    def form(self) -> str:
        """See `FeatureKind`."""
        forms = [
            f"{form} of {self.buckets}" if form == "quantile_buckets" else form
            for form in self.transforms
        ]
        return f"numeric ({', '.join(forms)})"

    def inputs(
        self, name: str, contract: "ContractSections", vocabulary_size: VocabularySize
    ) -> list[ModelInput]:
        """See `FeatureKind`."""
        return [
            CategoricalInput(field, FIRST_VALUE_ID + self.buckets)
            if transform == "quantile_buckets"
            else NumericInput(field)
            for field, transform in self.fields(name).items()
        ]
