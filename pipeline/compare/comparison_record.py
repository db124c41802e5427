"""What a comparison found, as table and page show it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

#: File in the comparison's folder: all numbers.
RECORD_FILE = "comparison.json"

#: A place in the table: task and slice, as people call it.
Place = tuple[str, str]
#: The slice of all rows.
OVERALL = "overall"


@dataclass(frozen=True)
class Measured:
    """A model in a task and slice.

    Attributes:
        value: mean over seeds of the task's metric; None where it is undefined.
        lower: of its interval over users (rows) and seeds; None where there is none.
        upper: likewise.
        by_seed: each seed's own value; empty where it was trained once.
        examples: rows.
        positives: of them.
        reason: why value or interval is None.
    """

    value: float | None
    lower: float | None = None
    upper: float | None = None
    by_seed: Mapping[int, float] = field(default_factory=dict)
    examples: int = 0
    positives: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Difference:
    """A model's metric less another's, on the same rows.

    Attributes:
        value: mean over seeds; None where one of them is undefined.
        lower: of the paired interval over users (rows) and seeds.
        upper: likewise.
        p_value: two-sided, of no difference; None where there is no interval.
        reason: why something is None.
    """

    value: float | None
    lower: float | None = None
    upper: float | None = None
    p_value: float | None = None
    reason: str | None = None


@dataclass
class Row:
    """A model.

    Attributes:
        label: what it is called.
        name: preset or network.
        settings: of its own.
        failed: why there is nothing of it, or no comparison; empty where all is well.
        parameters: trainable weights.
        embedding_parameters: of them in embedding tables.
        factor: by which its widths were scaled; None where they were not.
        seconds: of a training, mean over seeds.
        rows_per_second: that were trained on.
        measured: by task and slice.
        over_reference: differences to the reference, by task and slice.
        over_best: differences to the best of each task, on all rows, by task.
    """

    label: str
    name: str
    settings: tuple[str, ...] = ()
    failed: str = ""
    parameters: int | None = None
    embedding_parameters: int | None = None
    factor: float | None = None
    seconds: float | None = None
    rows_per_second: float | None = None
    measured: dict[Place, Measured] = field(default_factory=dict)
    over_reference: dict[Place, Difference] = field(default_factory=dict)
    over_best: dict[str, Difference] = field(default_factory=dict)

    def value(self, task: str) -> float | None:
        """The mean over seeds on all rows."""
        found = self.measured.get((task, OVERALL))
        return None if found is None else found.value


@dataclass
class ComparisonRecord:
    """All of a comparison, as far as it came.

    Attributes:
        experiment: its name.
        reference: label of the model that all are compared with.
        seeds: from which each was trained.
        confidence: of intervals, and of what is called decided.
        clusters: what intervals are over, besides seeds: a feature's values, or rows.
        metrics: by task the metric that it is compared by.
        lower_is_better: tasks whose metric is an error.
        rows: the models, in the order in which they were named.
    """

    experiment: str
    reference: str
    seeds: int
    confidence: float = 0.95
    clusters: str | None = None
    metrics: dict[str, str] = field(default_factory=dict)
    lower_is_better: set[str] = field(default_factory=set)
    rows: list[Row] = field(default_factory=list)

    @property
    def tasks(self) -> list[str]:
        """Names, as far as anything was measured."""
        return list(self.metrics)

    @property
    def slices(self) -> list[str]:
        """Those that occur, of all rows first."""
        return list(dict.fromkeys(place[1] for row in self.rows for place in row.measured))

    def row(self, label: str) -> Row:
        """Of a model."""
        return next(row for row in self.rows if row.label == label)

    def as_json(self) -> dict[str, object]:
        """For `RECORD_FILE`; places are written ``task, slice``."""
        values = dataclasses.asdict(self)
        values["lower_is_better"] = sorted(self.lower_is_better)
        for row in values["rows"]:
            for key in ("measured", "over_reference"):
                row[key] = {", ".join(place): found for place, found in row[key].items()}
        return values
