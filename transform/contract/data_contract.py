"""The data contract: features, target item, behaviour sequences, domain and tasks of a log."""

import re
import struct
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic

from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.model_inputs import TaskSpec
from mtlx.transform.contract.name_checks import name_problems

#: Blanks around a value that the missing markers do not see; Arrow and TensorFlow know the same.
_BLANKS = " \t\n\v\f\r"
#: What can be made of a number.
NumericTransform = Literal["zscore", "log", "min_max", "quantile_buckets", "none"]
#: One or several of them; told apart first, so that an error speaks of what was meant.
NumericTransforms = Annotated[
    Annotated[NumericTransform, pydantic.Tag("one")]
    | Annotated[list[NumericTransform], pydantic.Tag("several")],
    pydantic.Discriminator(lambda value: "several" if isinstance(value, list) else "one"),
]
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


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


class Domain(Settings):
    """The column that tells the scenarios apart.

    Attributes:
        feature: name of a categorical feature.
        values: its values, in the order of the model's domain index. A row with another value
            is refused when it is read, unless `other` is set.
        other: name of the domain that gathers all other values, and rows without one: they are
            read, measured, trained and served under this name. It stands last in `values`, or
            where it is named there. None gathers nothing.
        unknown: what serving does with a value that is not listed: ``first`` takes the row for
            one of the first domain, ``refuse`` refuses the request, the name of a domain takes
            the row for one of that. None is ``first``, or `other` where that is set.
    """

    feature: str
    values: Annotated[list[str], pydantic.Field(min_length=1)]
    other: Annotated[str, pydantic.Field(min_length=1)] | None = None
    unknown: str | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _other_is_a_domain(cls, value: Any) -> Any:
        """Whoever goes through `values` meets `other` as well."""
        if not isinstance(value, Mapping):
            return value
        values, other = value.get("values"), value.get("other")
        if isinstance(values, list) and isinstance(other, str) and other not in values:
            return {**value, "values": [*values, other]}
        return value

    @pydantic.model_validator(mode="after")
    def _unknown_has_a_place(self) -> "Domain":
        if self.unknown is None:
            return self
        if self.other is not None and self.unknown != self.other:
            raise ValueError(
                f"other is {self.other!r} and unknown {self.unknown!r}: unlisted values are "
                "served as they were trained. Leave out unknown"
            )
        if self.unknown in ("first", "refuse"):
            if self.unknown in self.values:
                raise ValueError(
                    f"unknown is {self.unknown!r}, which is a domain as well; call that domain "
                    "otherwise in the log, or leave out unknown"
                )
        elif self.unknown not in self.values:
            known = ["first", "refuse", *self.values]
            raise ValueError(
                f"unknown {self.unknown!r} is no domain, {suggest(self.unknown, known)}"
            )
        return self

    @property
    def refuses_unknown(self) -> bool:
        """Whether serving refuses a value that is not listed."""
        return self.unknown == "refuse"

    @property
    def unknown_index(self) -> int:
        """Index of the domain that serving takes an unlisted value for."""
        name = self.other if self.unknown is None else self.unknown
        return self.values.index(name) if name in self.values else 0


class Task(Settings):
    """A user action to predict.

    Attributes:
        label: column with 0 or 1.
        after: the task that must have happened before (purchase after click); a row with this
            label 1 and that one's 0 is refused unless `allow_without_parent`.
        population: the task whose label must be 1 for a row to count in this task's loss and
            metrics (click for post-click conversion); None for all rows.
        allow_without_parent: accept rows with this label 1 and the parent's 0.
    """

    label: str
    after: str | None = None
    population: str | None = None
    allow_without_parent: bool = False


class ContractSections(Settings):
    """What the columns of a log mean, as the sections of the experiment file say it.

    Attributes:
        features: by name: English letters, digits, ``_``, ``.`` and ``-``; `column` says which
            column of the log it is.
        tasks: by name, a task behind the one that it comes after.
        target_item: the categorical feature that is ranked, or None.
        domain: the scenarios, or None for a single one.
    """

    features: Annotated[dict[str, Feature], pydantic.Field(min_length=1)]
    tasks: Annotated[dict[str, Task], pydantic.Field(min_length=1)]
    target_item: str | None = None
    domain: Domain | None = None

    @pydantic.field_validator("features")
    @classmethod
    def _one_feature_a_column(cls, features: dict[str, Feature]) -> dict[str, Feature]:
        """Takes sequences of several features apart: everywhere a feature is one column."""
        apart: dict[str, Feature] = {}
        for name, feature in features.items():
            parts: Mapping[str, Feature] = {name: feature}
            if isinstance(feature, SequenceFeature):
                parts = feature.parts(name)
            for part in parts:
                if part != name and part in features:
                    raise ValueError(
                        f"features.{name}.of makes a feature {part!r}, and there is one of that "
                        "name: call it otherwise, and the log's with column: NAME"
                    )
            apart.update(parts)
        return apart

    @pydantic.model_validator(mode="after")
    def _check_references(self) -> "ContractSections":
        problems = [
            *self._feature_problems(),
            *self._beside_problems(),
            *self._task_problems(),
            *self._column_problems(),
            *name_problems(
                self.features,
                {name: task.label for name, task in self.tasks.items()},
                self.domain.feature if self.domain else None,
                self.domains,
            ),
            *self._field_problems(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _feature_problems(self) -> list[str]:
        categorical = [
            name for name, feature in self.features.items() if feature.kind == "categorical"
        ]
        references: list[tuple[str, str | None]] = [("target_item", self.target_item)]
        if self.domain is not None:
            references.append(("domain.feature", self.domain.feature))
        for name, feature in self.features.items():
            if feature.kind == "sequence":
                references.append((f"{self._written(name)}.of", feature.item))
        problems = [
            f"{key} {name!r} is no categorical feature, {suggest(name, categorical)}"
            for key, name in references
            if name is not None and name not in categorical
        ]
        for name, feature in self.features.items():
            if feature.kind == "sequence" and feature.item in categorical:
                if not self.categorical(feature.item).embed:
                    problems.append(f"{self._written(name)}.of {feature.of!r} has embed: false")
        if self.domain is not None and len(set(self.domain.values)) != len(self.domain.values):
            problems.append(f"domain.values names a domain twice: {self.domain.values}")
        return problems

    def _beside_problems(self) -> list[str]:
        """Values of behaviours that are not there, or that are cut to another length."""
        sequences = {n: f for n, f in self.features.items() if isinstance(f, SequenceFeature)}
        first = [name for name, feature in sequences.items() if feature.beside is None]
        problems = []
        for name, feature in sequences.items():
            if feature.beside is None:
                continue
            if feature.beside not in first:
                problems.append(
                    f"features.{name}.beside {feature.beside!r} is no sequence with behaviours of "
                    f"its own, {suggest(feature.beside, first)}"
                )
                continue
            length = sequences[feature.beside].max_length
            if length != feature.max_length:
                problems.append(
                    f"features.{name}.max_length is {feature.max_length}, but that of "
                    f"{feature.beside!r}, beside which it stands, is {length}: take the same"
                )
            others = [sequences[part].of for part in self.parts(feature.beside) if part != name]
            if feature.of in others:
                problems.append(
                    f"features.{name}.of {feature.of!r} is what another sequence of the same "
                    "behaviours has: take one of the two out"
                )
        return problems

    def categorical(self, name: str) -> CategoricalFeature:
        """The categorical feature of a name.

        Raises:
            ValueError: the feature is of another kind.
        """
        feature = self.features[name]
        if not isinstance(feature, CategoricalFeature):
            raise ValueError(f"feature {name!r} is {feature.kind}, not categorical")
        return feature

    def sequence(self, name: str) -> SequenceFeature:
        """The sequence of a name.

        Raises:
            ValueError: the feature is of another kind.
        """
        feature = self.features[name]
        if not isinstance(feature, SequenceFeature):
            raise ValueError(f"feature {name!r} is {feature.kind}, not a sequence")
        return feature

    def _written(self, name: str) -> str:
        """Key path of a feature in the experiment file."""
        feature = self.features[name]
        if isinstance(feature, SequenceFeature) and name == f"{feature.beside}.{feature.of}":
            return f"features.{feature.beside}"
        return f"features.{name}"

    def _task_problems(self) -> list[str]:
        problems, before = [], []
        for name, task in self.tasks.items():
            for key, other in (("after", task.after), ("population", task.population)):
                if other is not None and other not in self.tasks:
                    problems.append(
                        f"tasks.{name}.{key} names no task: {other!r}, {suggest(other, self.tasks)}"
                    )
                elif other is not None and other not in before:
                    problems.append(f"tasks.{name}.{key}: put task {name!r} behind task {other!r}")
            before.append(name)
        return problems

    def _column_problems(self) -> list[str]:
        owner: dict[str, str] = {}
        problems = []
        columns = [(self._written(name), self.column(name)) for name in self.features]
        columns += [(f"tasks.{name}.label", task.label) for name, task in self.tasks.items()]
        for key, column in columns:
            if column in owner:
                problems.append(
                    f"{key} and {owner[column]} both use column {column!r}; "
                    "a label or another feature must not leak into a feature"
                )
            owner.setdefault(column, key)
        return problems

    def _field_problems(self) -> list[str]:
        """Fields of a number in several forms that are called like something else."""
        taken = {name.lower(): f"features.{name}" for name in self.features}
        taken |= {task.label.lower(): f"tasks.{name}.label" for name, task in self.tasks.items()}
        return [
            f"features.{name}: its field {field} is called like {taken[field.lower()]}; give that "
            "another name"
            for name, feature in self.features.items()
            if isinstance(feature, NumericFeature)
            for field in feature.fields(name)
            if field != name and field.lower() in taken
        ]

    def column(self, feature: str) -> str:
        """Column of the log that holds a feature."""
        return self.features[feature].column or feature

    def parts(self, sequence: str) -> tuple[str, ...]:
        """Names of the sequences with the values of one sequence's behaviours, itself first."""
        beside = [
            name
            for name, feature in self.features.items()
            if isinstance(feature, SequenceFeature) and feature.beside == sequence
        ]
        return (sequence, *beside)

    @property
    def behaviours(self) -> list[tuple[str, ...]]:
        """The `parts` of every sequence that has several."""
        return [
            parts
            for name, feature in self.features.items()
            if isinstance(feature, SequenceFeature) and len(parts := self.parts(name)) > 1
        ]

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the domains; ``("all",)`` where the log has none."""
        return tuple(self.domain.values) if self.domain else ("all",)

    @property
    def task_specs(self) -> tuple[TaskSpec, ...]:
        """The tasks as the records that travel through model, loss and evaluation."""
        return tuple(
            TaskSpec(name, task.label, task.after, task.population)
            for name, task in self.tasks.items()
        )


class DataContract(ContractSections):
    """What the columns of a log mean: what all rooms share.

    Attributes:
        missing: texts that stand for a missing value, in every column, in training and serving,
            blanks at a value's ends left out; the empty text is always one. One that is a number
            (``-1``) stands for that number too. The experiment file has them in
            ``data.options.missing``.
    """

    missing: tuple[str, ...] = ("",)

    @staticmethod
    def bare(missing: tuple[str, ...]) -> tuple[str, ...]:
        """Markers as values are compared with them: without blanks at the ends, each once."""
        return tuple(dict.fromkeys(["", *(marker.strip(_BLANKS) for marker in missing)]))

    @pydantic.field_validator("missing")
    @classmethod
    def _bare_and_with_the_empty_text(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return cls.bare(value)

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """The markers that are numbers, rounded as examples hold numbers: to float32."""
        numbers: list[float] = []
        for marker in filter(_NUMBER.fullmatch, self.missing):
            number = float(marker)
            if abs(number) < 3e38:  # What is too large for float32 stands in no example.
                numbers += struct.unpack("f", struct.pack("f", number))
        return tuple(dict.fromkeys(numbers))


def missing_domain_values(domain: Domain | None, missing: tuple[str, ...]) -> list[str]:
    """What is wrong with domains that are called like a missing value: no row would be theirs."""
    return [
        f"domain.values names {value!r}, which stands for a missing value "
        f"(data.options.missing: {list(missing)})"
        for value in (domain.values if domain else ())
        if value.strip(_BLANKS) in missing
    ]
