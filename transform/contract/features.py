"""The features of a data contract: values out of a set, numbers, behaviour sequences."""

from typing import Annotated, Literal

import pydantic

from mtlx.transform.config.settings import Settings

#: What can be made of a number.
NumericTransform = Literal["zscore", "log", "min_max", "quantile_buckets", "none"]
#: One or several of them; told apart first, so that an error speaks of what was meant.
NumericTransforms = Annotated[
    Annotated[NumericTransform, pydantic.Tag("one")]
    | Annotated[list[NumericTransform], pydantic.Tag("several")],
    pydantic.Discriminator(lambda value: "several" if isinstance(value, list) else "one"),
]


class Vocabulary(Settings):
    """Ids by frequency in the training split.

    Attributes:
        top_k: at most so many values get an id; None for all.
        min_count: values seen less often have none (they are out of vocabulary).
    """

    top_k: pydantic.PositiveInt | None = None
    min_count: pydantic.PositiveInt = 1


class CategoricalFeature(Settings):
    """A value out of a set, read as text. Either a vocabulary (default) or hashing.

    Attributes:
        column: column of the log; the feature's name if None.
        vocabulary: ids by frequency.
        hash_buckets: ids by a stable hash of the text, instead of a vocabulary.
        embed: False keeps the column for splitting, slicing or grouping only (say a user id).
    """

    kind: Literal["categorical"]
    column: str | None = None
    vocabulary: Vocabulary = Vocabulary()
    hash_buckets: pydantic.PositiveInt | None = None
    embed: bool = True

    @pydantic.model_validator(mode="after")
    def _one_way_to_ids(self) -> "CategoricalFeature":
        if self.hash_buckets is not None and self.vocabulary != Vocabulary():
            raise ValueError("give either 'vocabulary' or 'hash_buckets', not both")
        return self


class NumericFeature(Settings):
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
    """

    kind: Literal["numeric"]
    column: str | None = None
    transform: NumericTransforms = "zscore"
    buckets: Annotated[int, pydantic.Field(ge=2)] = 20
    buckets_of: Literal["rows", "distinct"] = "rows"
    clip: Literal["training_range", "none"] = "training_range"

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


class SequenceFeature(Settings):
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

    def parts(self, name: str) -> dict[str, "SequenceFeature"]:
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


Feature = Annotated[
    CategoricalFeature | NumericFeature | SequenceFeature, pydantic.Field(discriminator="kind")
]
