"""The data contract: features, target item, behaviour sequences, domain and tasks of a log."""

from typing import Annotated, Literal

import pydantic

from transform.model_inputs import TaskSpec
from transform.name_checks import name_problems
from transform.names import suggest
from transform.settings import Settings


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
            becomes 0 after the transform, or the id of a missing value.
        buckets: number of quantile buckets.
    """

    kind: Literal["numeric"]
    column: str | None = None
    transform: Literal["zscore", "log", "min_max", "quantile_buckets", "none"] = "zscore"
    buckets: Annotated[int, pydantic.Field(ge=2)] = 20


class SequenceFeature(Settings):
    """A behaviour sequence, oldest first, of values of a categorical feature.

    Attributes:
        of: the categorical feature whose vocabulary and embedding it shares.
        column: column of the log; the feature's name if None. A list column in Parquet, text
            with separators in CSV.
        max_length: the most recent so many are kept.
        separator: between the items in CSV.
    """

    kind: Literal["sequence"]
    of: str
    column: str | None = None
    max_length: pydantic.PositiveInt = 50
    separator: Annotated[str, pydantic.Field(min_length=1, max_length=1)] = "|"


Feature = Annotated[
    CategoricalFeature | NumericFeature | SequenceFeature, pydantic.Field(discriminator="kind")
]


class Domain(Settings):
    """The column that tells the scenarios apart.

    Attributes:
        feature: name of a categorical feature.
        values: its values, in the order of the model's domain index. A row with another value
            is refused when it is read.
    """

    feature: str
    values: Annotated[list[str], pydantic.Field(min_length=1)]


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


class DataContract(Settings):
    """What the columns of a log mean; the sections of the experiment file that all rooms share.

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

    @pydantic.model_validator(mode="after")
    def _check_references(self) -> "DataContract":
        problems = [
            *self._feature_problems(),
            *self._task_problems(),
            *self._column_problems(),
            *name_problems(
                self.features,
                {name: task.label for name, task in self.tasks.items()},
                self.domain.feature if self.domain else None,
                self.domains,
            ),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _feature_problems(self) -> list[str]:
        categorical = [
            name for name, feature in self.features.items() if feature.kind == "categorical"
        ]
        references = {"target_item": self.target_item}
        if self.domain is not None:
            references["domain.feature"] = self.domain.feature
        for name, feature in self.features.items():
            if feature.kind == "sequence":
                references[f"features.{name}.of"] = feature.of
        problems = [
            f"{key} {name!r} is no categorical feature, {suggest(name, categorical)}"
            for key, name in references.items()
            if name is not None and name not in categorical
        ]
        for name, feature in self.features.items():
            if feature.kind == "sequence" and feature.of in categorical:
                if not self.features[feature.of].embed:
                    problems.append(f"features.{name}.of {feature.of!r} has embed: false")
        if self.domain is not None and len(set(self.domain.values)) != len(self.domain.values):
            problems.append(f"domain.values names a domain twice: {self.domain.values}")
        return problems

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
        columns = [(f"features.{name}", self.column(name)) for name in self.features]
        columns += [(f"tasks.{name}.label", task.label) for name, task in self.tasks.items()]
        for key, column in columns:
            if column in owner:
                problems.append(
                    f"{key} and {owner[column]} both use column {column!r}; "
                    "a label or another feature must not leak into a feature"
                )
            owner.setdefault(column, key)
        return problems

    def column(self, feature: str) -> str:
        """Column of the log that holds a feature."""
        return self.features[feature].column or feature

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
