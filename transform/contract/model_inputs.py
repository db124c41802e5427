"""What a model must know of its inputs, after Transform: a plain record without TensorFlow."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: Id of padding in sequences; never the id of a value.
PADDING_ID = 0
#: Id of a missing value.
MISSING_ID = 1
#: Id of a value that the vocabulary does not hold.
OUT_OF_VOCABULARY_ID = 2
#: Id of the first value of a vocabulary, of the first hash bucket or of the first quantile.
FIRST_VALUE_ID = 3


@dataclass(frozen=True)
class PretrainedTable:
    """Vectors, learnt elsewhere, of some of a field's values.

    Attributes:
        size: numbers of each.
        trainable: whether they are trained further.
    """

    size: int
    trainable: bool


@dataclass(frozen=True)
class CategoricalInput:
    """A field that arrives as one id per row: ``(B,)`` int64 in ``[0, cardinality)``.

    Attributes:
        name: feature name of the data contract; also the key of the model's input.
        cardinality: number of ids, the special ones included.
        pretrained: the vectors that its values come with, or None.
    """

    name: str
    cardinality: int
    pretrained: PretrainedTable | None = None


@dataclass(frozen=True)
class MultipleInput:
    """A field of several ids per row: ``(B, max_values)`` int64, padded right with 0.

    A row without values has one, `MISSING_ID`.

    Attributes:
        name: feature name of the data contract; also the key of the model's input.
        cardinality: number of ids, the special ones included.
        max_values: ids of a row.
        pooling: what is made of their embeddings.
        weights: key of the model's input with their weights, ``(B, max_values)`` float32, 0 at
            padding; None where all are 1.
        pretrained: the vectors that its values come with, or None.
    """

    name: str
    cardinality: int
    max_values: int
    pooling: Literal["sum", "mean", "sqrt_n"]
    weights: str | None = None
    pretrained: PretrainedTable | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the model's inputs."""
        return (self.name,) if self.weights is None else (self.name, self.weights)


@dataclass(frozen=True)
class VectorInput:
    """A field that arrives as a vector per row: ``(B, size)`` float32."""

    name: str
    size: int


@dataclass(frozen=True)
class NumericInput:
    """A field that arrives as one number per row: ``(B,)`` float32."""

    name: str


@dataclass(frozen=True)
class SequencePart:
    """Further values of a sequence's behaviours, of the same shape and beside its own.

    Attributes:
        name: feature name of the data contract; also the key of the model's input.
        of: the categorical input whose vocabulary and embedding it shares.
    """

    name: str
    of: str


@dataclass(frozen=True)
class SequenceInput:
    """A behaviour sequence: ``(B, max_length)`` int64, oldest first, padded right with 0.

    Attributes:
        name: feature name of the data contract; also the key of the model's input.
        of: the categorical input whose vocabulary and embedding it shares.
        max_length: length after truncation (the most recent items are kept) and padding.
        parts: what else is known of each behaviour, its category say.
    """

    name: str
    of: str
    max_length: int
    parts: tuple[SequencePart, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the model's inputs: its own, and those of the parts."""
        return (self.name, *(part.name for part in self.parts))

    @property
    def fields(self) -> tuple[str, ...]:
        """The categorical inputs that make up a behaviour, in the order of `keys`."""
        return (self.of, *(part.of for part in self.parts))


#: What a model is given of a feature.
ModelInput: TypeAlias = (
    CategoricalInput | NumericInput | SequenceInput | MultipleInput | VectorInput
)


@dataclass(frozen=True)
class TaskSpec:
    """One task, as it travels through input, model, loss, metrics and export.

    Attributes:
        name: task name; also the name of the served probability.
        label: name of the label column.
        after: the preceding task of the chain (click for purchase), or None.
        population: the task whose label must be 1 for a row to count, or None for all rows.
        matures_after: so many spans later its labels are known; where that is not at once,
            transformed examples mark those that do not count, see
            `mtlx.transform.contract.counted_labels`.
        weight: name of the column with what rows count for in this task, or None for 1.
        kind: ``binary``, or ``regression`` where labels are numbers.
        loss: of a regression, ``squared`` or ``log_normal``.
        shift: of a regression, mean of the numbers that train, or of their logarithms.
        scale: likewise their standard deviation.
        kept_negatives: w, the share of its negatives among the rows that train, where its logit is
            to be corrected for that; 1 where it is that of the log.
    """

    name: str
    label: str
    after: str | None = None
    population: str | None = None
    matures_after: int = 0
    weight: str | None = None
    kind: str = "binary"
    loss: str = "squared"
    shift: float = 0.0
    scale: float = 1.0
    kept_negatives: float = 1.0

    @property
    def is_regression(self) -> bool:
        """Whether labels are numbers."""
        return self.kind == "regression"


@dataclass(frozen=True)
class ModelInputs:
    """Everything a model is built from, apart from its own options.

    Attributes:
        categorical: the fields with ids, in the data contract's order.
        numeric: the fields with numbers.
        sequences: the behaviour sequences.
        target_item: name of the categorical input that is ranked, or None.
        domains: names of the domains; the model's input ``domain_id`` ``(B,)`` int64 indexes
            them. One entry where the data has no domains.
        tasks: the tasks; a task stands behind the task that it comes `after`.
        multiple: the fields with several ids.
        vectors: the fields with vectors.
    """

    categorical: tuple[CategoricalInput, ...]
    numeric: tuple[NumericInput, ...]
    sequences: tuple[SequenceInput, ...]
    target_item: str | None
    domains: tuple[str, ...]
    tasks: tuple[TaskSpec, ...]
    multiple: tuple[MultipleInput, ...] = ()
    vectors: tuple[VectorInput, ...] = ()

    @property
    def regressions(self) -> tuple[str, ...]:
        """Names of the tasks whose labels are numbers."""
        return tuple(task.name for task in self.tasks if task.is_regression)

    @property
    def fields(self) -> tuple[CategoricalInput | NumericInput, ...]:
        """What a row has one value of: the fields with ids, then those with numbers."""
        return (*self.categorical, *self.numeric)

    @property
    def tables(self) -> tuple[CategoricalInput | MultipleInput, ...]:
        """The fields whose values have embeddings, in the order of these in the joint table."""
        return (*self.categorical, *self.multiple)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all that the model reads but `DOMAIN_ID`."""
        return (
            *(field.name for field in self.fields),
            *(key for sequence in self.sequences for key in sequence.keys),
            *(key for several in self.multiple for key in several.keys),
            *(vector.name for vector in self.vectors),
        )

    def task_index(self, name: str) -> int:
        """Position of a task in `tasks`, and so in every ``(B, T)`` tensor."""
        return [task.name for task in self.tasks].index(name)


#: Key of the model's input that holds the domain's index, ``(B,)`` int64.
DOMAIN_ID = "domain_id"
