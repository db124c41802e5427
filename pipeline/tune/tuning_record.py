"""What a search found, as table and page show it, and as it is kept between two calls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from mtlx.pipeline.trainings.task import write_whole

#: File in the search's folder: all numbers.
RECORD_FILE = "tuning.json"

State = Literal["running", "complete", "pruned", "failed"]


@dataclass
class TrialRow:
    """One trial.

    Attributes:
        number: from 1 on, in the order in which they began.
        settings: by name.
        state: ``pruned`` where it was stopped since others had been better at the same epoch.
        own: whether these are the experiment file's own settings.
        value: of the kept epoch; of a pruned trial as far as it came.
        reached: numbers of epochs, and what the best one until then had reached.
        kept: number of the epoch whose weights count.
        reason: why it was stopped or failed.
        parameters: trainable weights.
        seconds: of the training.
    """

    number: int
    settings: dict[str, Any]
    state: State = "running"
    own: bool = False
    value: float | None = None
    reached: list[tuple[int, float]] = field(default_factory=list)
    kept: int | None = None
    reason: str = ""
    parameters: int | None = None
    seconds: float | None = None

    def write(self, folder: Path) -> None:
        """Writes the file of this trial."""
        write_whole(folder / f"{self.number:05}.json", asdict(self))


def read_trials(folder: Path) -> list[TrialRow]:
    """The trials that were begun, by their numbers.

    Args:
        folder: of the search; it may not be there yet.
    """
    rows = []
    for path in sorted(folder.glob("*.json")):
        values = json.loads(path.read_text(encoding="utf-8"))
        values["reached"] = [(epoch, value) for epoch, value in values["reached"]]
        rows.append(TrialRow(**values))
    return rows


@dataclass(frozen=True)
class SeedCheck:
    """What settings reach from seeds that the search has not used.

    Attributes:
        by_seed: the objective's values.
        failed: why a seed gave none; empty where all did.
    """

    by_seed: Mapping[int, float]
    failed: str = ""

    @property
    def mean(self) -> float | None:
        """Over seeds."""
        return sum(self.by_seed.values()) / len(self.by_seed) if self.by_seed else None


@dataclass
class TuningRecord:
    """All of a search, as far as it came.

    Attributes:
        experiment: its name.
        objective: what trials are compared by, for people.
        lower_is_better: whether the smallest value is the best.
        planned: number of trials that were asked for.
        space: settings that are varied, and between what, for people.
        trials: in the order in which they began.
        ended: why there are fewer trials than were asked for; empty where there are not.
        importances: shares of the variation that settings explain, the largest first.
        no_importances: why there are none.
        best_by_seed: the best trial's settings from other seeds; None before that.
        own_by_seed: the file's own settings from the same seeds.
        not_by_seed: why there is neither.
    """

    experiment: str = ""
    objective: str = ""
    lower_is_better: bool = True
    planned: int = 0
    space: dict[str, str] = field(default_factory=dict)
    trials: list[TrialRow] = field(default_factory=list)
    ended: str = ""
    importances: dict[str, float] = field(default_factory=dict)
    no_importances: str = ""
    best_by_seed: SeedCheck | None = None
    own_by_seed: SeedCheck | None = None
    not_by_seed: str = ""

    def of_state(self, state: State) -> list[TrialRow]:
        """The trials of one ending."""
        return [row for row in self.trials if row.state == state]

    @property
    def ranked(self) -> list[TrialRow]:
        """The trials that came to their end, the best first."""
        sign = 1 if self.lower_is_better else -1
        complete = self.of_state("complete")
        valued = [(sign * row.value, row) for row in complete if row.value is not None]
        return [row for _, row in sorted(valued, key=lambda pair: (pair[0], pair[1].number))]

    @property
    def best(self) -> TrialRow | None:
        """The best one; None before the first has come to its end."""
        return next(iter(self.ranked), None)

    @property
    def own(self) -> TrialRow | None:
        """The trial of the file's own settings; None where they are outside of the space."""
        return next((row for row in self.trials if row.own), None)

    def best_so_far(self) -> Sequence[tuple[int, float]]:
        """Numbers of trials, and the best value until then."""
        found: list[tuple[int, float]] = []
        for row in self.trials:
            if row.state == "complete" and row.value is not None:
                better = not found or (row.value < found[-1][1]) == self.lower_is_better
                found.append((row.number, row.value if better else found[-1][1]))
        return found

    def as_json(self) -> dict[str, Any]:
        """For `RECORD_FILE`."""
        return asdict(self)
