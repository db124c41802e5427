"""The data contract: features, target item, behaviour sequences, domain and tasks of a log."""

import re
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import pydantic

from mtlx.transform.config.settings import Settings, SettingsError
from mtlx.transform.contract.domain import Domain
from mtlx.transform.contract.features import (
    CategoricalFeature,
    CrossFeature,
    Feature,
    IdKind,
    SequenceFeature,
    WeightsFeature,
)
from mtlx.transform.contract.kind_checks import (
    cross_problems,
    training_only_problems,
    weights_problems,
)
from mtlx.transform.contract.model_inputs import TaskSpec
from mtlx.transform.contract.name_checks import name_problems
from mtlx.transform.contract.request_side import request_problems, request_side
from mtlx.transform.contract.rows.sampling import Sampling
from mtlx.transform.contract.rows.task import Task
from mtlx.transform.contract.rows.task_problems import task_problems
from mtlx.transform.contract.rows.weight import (
    ROW_WEIGHT,
    ColumnWeight,
    RowWeight,
    task_weight,
    without_unused,
)
from mtlx.transform.contract.section_checks import (
    beside_problems,
    column_problems,
    feature_problems,
    field_problems,
)

if TYPE_CHECKING:
    from typing_extensions import Self

#: Blanks around a value that the missing markers do not see; Arrow and TensorFlow know the same.
_BLANKS = " \t\n\v\f\r"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


#: What was not there in earlier versions, with what it is where nobody sets it.
_UNUSED: dict[str, Any] = {
    "crosses": {},
    "sampling": None,
    "weight": None,
    "request_features": [],
}


class ContractSections(Settings):
    """What the columns of a log mean, as the sections of the experiment file say it.

    Attributes:
        features: by name: English letters, digits, ``_``, ``.`` and ``-``; `column` says which
            column of the log it is. A cross of others (``kind: cross``) stands among them.
        tasks: by name, a task behind the one that it comes after.
        target_item: the categorical feature that is ranked, or None.
        domain: the scenarios, or None for a single one.
        crosses: the crosses of `features`, which have no column of their own, by name; the file
            may say them here as well.
        sampling: the negatives that train, or None for all.
        request_features: names of the features that are the same for all items of a request: the
            user's, the scenario, what is known of time and place. All others are an item's own.
            With them the served model has the signature `serving_request`, which takes them once.
    """

    features: Annotated[dict[str, Feature], pydantic.Field(min_length=1)]
    tasks: Annotated[dict[str, Task], pydantic.Field(min_length=1)]
    target_item: str | None = None
    domain: Domain | None = None
    crosses: dict[str, CrossFeature] = {}
    sampling: Sampling | None = None
    request_features: list[str] = []

    @pydantic.model_validator(mode="before")
    @classmethod
    def _crosses_apart(cls, values: Any) -> Any:
        """Takes crosses out of the features: everywhere a feature is a column of the log."""
        features = values.get("features") if isinstance(values, Mapping) else None
        if not isinstance(features, Mapping):
            return values
        crosses = {name: given for name, given in features.items() if _is_cross(given)}
        if not crosses:
            return values
        found = {}
        for name, given in crosses.items():
            try:
                found[name] = CrossFeature.read(given)
            except SettingsError as error:
                raise SettingsError(
                    [(("features", str(name), *path), text) for path, text in error.problems]
                ) from None
        kept = {name: given for name, given in features.items() if name not in crosses}
        return {**values, "features": kept, "crosses": {**values.get("crosses", {}), **found}}

    @pydantic.model_serializer(mode="wrap")
    def _as_before(self, serialize: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what is not used, so that nothing of an earlier version is made anew."""
        return without_unused(serialize(self), _UNUSED)

    @pydantic.field_validator("features")
    @classmethod
    def _one_feature_a_column(cls, features: dict[str, Feature]) -> dict[str, Feature]:
        """Takes features of several columns apart: everywhere a feature is one column."""
        apart: dict[str, Any] = {}
        for name, feature in features.items():
            parts = feature.parts(name)
            for part in parts:
                if part != name and part in features:
                    several = "of" if isinstance(feature, SequenceFeature) else "weights"
                    raise ValueError(
                        f"features.{name}.{several} makes a feature {part!r}, and there is one of "
                        "that name: call it otherwise, and the log's with column: NAME"
                    )
            apart.update(parts)
        return apart

    @pydantic.model_validator(mode="after")
    def _check_references(self) -> "ContractSections":
        problems = [
            *feature_problems(self),
            *beside_problems(self),
            *weights_problems(self),
            *cross_problems(self),
            *training_only_problems(self),
            *request_problems(self),
            *task_problems(self.tasks, self.sampling),
            *column_problems(self),
            *name_problems(
                [*self.features, *self.crosses],
                {name: task.label_key for name, task in self.tasks.items()},
                self.domain.feature if self.domain else None,
                self.domains,
            ),
            *field_problems(self),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def single_values(self) -> list[str]:
        """Names of the categorical features with one value a row."""
        return [n for n, f in self.features.items() if isinstance(f, CategoricalFeature)]

    @property
    def training_only(self) -> list[str]:
        """Names of the features that a served model is not given."""
        return [
            name
            for name, feature in self.features.items()
            if feature.is_training_only
            or isinstance(feature, WeightsFeature)
            and feature.of in self.features
            and self.features[feature.of].is_training_only
        ]

    @property
    def served(self) -> "Self":
        """The contract of requests: without what is known only when training."""
        absent = set(self.training_only)
        if not absent:
            return self
        return self.model_copy(
            update={
                "features": {n: f for n, f in self.features.items() if n not in absent},
                "crosses": {n: c for n, c in self.crosses.items() if not absent & set(c.of)},
            }
        )

    @property
    def request_side(self) -> tuple[str, ...]:
        """Names of the features that a request has once for all its items, in their order."""
        return request_side(self)

    @staticmethod
    def served_cross(name: str) -> str:
        """Name under which rows hold a cross as it is served; no feature can be called so."""
        return f"{name} as served"

    def is_asked_for(self, name: str) -> bool:
        """Whether what a model predicts depends on a feature, by itself or in a cross."""
        domain = self.domain.feature if self.domain else None
        crossed = any(name in cross.of for cross in self.crosses.values())
        return self.features[name].is_read or name == domain or crossed

    def weights_of(self, multiple: str) -> str | None:
        """Name of the feature with the weights of one with several values; None without."""
        for name, feature in self.features.items():
            if isinstance(feature, WeightsFeature) and feature.of == multiple:
                return name
        return None

    @property
    def weighted(self) -> list[tuple[str, str]]:
        """Names of the features with weights, and of their weights."""
        return [(f.of, n) for n, f in self.features.items() if isinstance(f, WeightsFeature)]

    def ids(self, name: str) -> IdKind:
        """The feature of a name, whose values have ids of their own.

        Raises:
            ValueError: the feature is of another kind.
        """
        feature = self.features[name]
        if not isinstance(feature, IdKind):
            raise ValueError(f"feature {name!r} is {feature.kind}, not categorical")
        return feature

    def categorical(self, name: str) -> CategoricalFeature:
        """The categorical feature of a name, with one value a row.

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

    def written(self, name: str) -> str:
        """Key path of a feature in the experiment file."""
        feature = self.features[name]
        if isinstance(feature, SequenceFeature) and name == f"{feature.beside}.{feature.of}":
            return f"features.{feature.beside}"
        if isinstance(feature, WeightsFeature) and name == f"{feature.of}.weights":
            return f"features.{feature.of}.weights"
        return f"features.{name}"

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
            TaskSpec(
                name,
                task.label_key,
                task.after,
                task.population,
                self.matures_after[name],
                None if task.weight is None else task_weight(name),
                task.kind,
                task.loss or "squared",
                kept_negatives=self._kept_negatives(name),
            )
            for name, task in self.tasks.items()
        )

    def _kept_negatives(self, task: str) -> float:
        """See `TaskSpec`."""
        sampling = self.sampling
        corrected = sampling is not None and sampling.corrects_logit and sampling.task == task
        return sampling.negatives if sampling is not None and corrected else 1.0

    @property
    def matures_after(self) -> dict[str, int]:
        """By task after how many spans its labels are known.

        What comes after another action, or is counted on another's rows, is not known before that
        is: a purchase may follow a click that is still to come.
        """
        found: dict[str, int] = {}
        for name, task in self.tasks.items():  # A task stands behind those that it names.
            named = [other for other in (task.after, task.population) if other is not None]
            found[name] = max([task.matures_after, *(found[other] for other in named)])
        return found

    @property
    def regressions(self) -> frozenset[str]:
        """Names of the tasks whose labels are numbers."""
        return frozenset(name for name, task in self.tasks.items() if task.is_regression)

    @property
    def has_late_labels(self) -> bool:
        """Whether any task's labels are not known at once."""
        return any(self.matures_after.values())


def _is_cross(given: Any) -> bool:
    return isinstance(given, CrossFeature) or (
        isinstance(given, Mapping) and given.get("kind") == "cross"
    )


class DataContract(ContractSections):
    """What the columns of a log mean: what all rooms share.

    Attributes:
        missing: texts that stand for a missing value, in every column, in training and serving,
            blanks at a value's ends left out; the empty text is always one. One that is a number
            (``-1``) stands for that number too. The experiment file has them in
            ``data.options.missing``.
        weight: what rows count for. The experiment file has it in ``data.weight``.
    """

    missing: tuple[str, ...] = ("",)
    weight: RowWeight | None = None

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

    @property
    def weight_columns(self) -> dict[str, ColumnWeight]:
        """The columns of weights, by the names under which examples hold them."""
        found = {task_weight(name): task.weight for name, task in self.tasks.items()}
        rows = self.weight.of_column if self.weight else None
        return {name: one for name, one in {ROW_WEIGHT: rows, **found}.items() if one is not None}

    @property
    def weighs_rows(self) -> bool:
        """Whether rows that train count for more or less than 1 in all tasks."""
        return self.weight is not None or self.sampling is not None

    @property
    def of_rows(self) -> "DataContract":
        """This contract without what rows, and what is made of them, do not depend on."""
        return self.model_copy(update={"request_features": []})

    @property
    def of_examples(self) -> "DataContract":
        """This contract without what examples do not depend on: another needs none read anew."""
        rows = self.weight
        if rows is not None:
            rows = RowWeight(column=rows.column, clip=rows.clip) if rows.column else None
        return self.of_rows.model_copy(update={"sampling": None, "weight": rows})


def missing_domain_values(domain: Domain | None, missing: tuple[str, ...]) -> list[str]:
    """What is wrong with domains that are called like a missing value: no row would be theirs."""
    return [
        f"domain.values names {value!r}, which stands for a missing value "
        f"(data.options.missing: {list(missing)})"
        for value in (domain.values if domain else ())
        if value.strip(_BLANKS) in missing
    ]
