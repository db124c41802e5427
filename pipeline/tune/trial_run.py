"""One trial: a training that is watched after every epoch, and stopped where it is hopeless."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlx.pipeline.trainings.epochs_line import read_epochs
from mtlx.pipeline.trainings.processes import ProcessDied, Runner, TaskFailed
from mtlx.pipeline.trainings.task import TRAINED_FILE, Trial
from mtlx.pipeline.tune.objective import Objective
from mtlx.pipeline.tune.tuning_record import TrialRow

#: How often a training is begun that dies for no reason of its own.
_ATTEMPTS = 2

#: Whether a trial is to be stopped for what its epochs reached.
IsHopeless = Callable[[TrialRow, Sequence[tuple[int, float]]], bool]


class Pruned(Exception):  # noqa: N818 (it is no error)
    """A trial is hopeless."""


def run_trial(
    row: TrialRow,
    trial: Trial,
    folder: Path,
    run: Runner,
    objective: Objective,
    is_hopeless: IsHopeless,
    on_progress: Callable[[str], None],
) -> None:
    """Does a trial, or what is left of it, and writes into its row what became of it.

    What its epochs reached is judged one by one, in their order, however late it is heard: so a
    trial that was interrupted, or done before, ends where it would have ended.

    Args:
        row: of the trial.
        trial: its training.
        folder: of the training.
        run: does it.
        objective: what is reached.
        is_hopeless: judges.
        on_progress: is given what the training says.
    """
    row.reached.clear()

    def hear(epochs: Sequence[Mapping[str, Any]]) -> None:
        known = row.reached[-1][0] if row.reached else 0
        for epoch, value in objective.reached(epochs):
            if epoch > known:
                row.reached.append((epoch, value))
                if is_hopeless(row, row.reached):
                    raise Pruned

    try:
        told = trained(trial, folder, run, on_progress, hear)
        hear(told["epochs"])
    except Pruned:
        epoch, row.value = row.reached[-1]
        row.state, row.kept = "pruned", None
        row.reason = f"stopped after epoch {epoch}: half of the others had reached more by then"
        shutil.rmtree(folder / "checkpoints", ignore_errors=True)
        return
    except TaskFailed as error:
        row.state, row.reason = "failed", str(error)
        return
    row.value, row.kept = kept_value(told, objective), told["kept"]
    row.parameters, row.seconds = told["parameters"], told["seconds"]
    row.state = "complete"
    if row.value is None:
        row.state, row.reason = "failed", f"its {objective.title} is undefined"


def kept_value(told: Mapping[str, Any], objective: Objective) -> float | None:
    """What the epoch reached whose weights a training kept; None where that is undefined."""
    kept = next((epoch for epoch in told["epochs"] if epoch["epoch"] == told["kept"]), None)
    return None if kept is None else objective.value(kept)


def trained(
    trial: Trial,
    folder: Path,
    run: Runner,
    on_progress: Callable[[str], None],
    on_epochs: Callable[[Sequence[Mapping[str, Any]]], None] = lambda epochs: None,
) -> dict[str, Any]:
    """What is told of a training, which is done first where it is not there.

    One whose process is killed, for which it may not be to blame, goes on once from its checkpoint.

    Args:
        trial: the training.
        folder: of it.
        run: does it.
        on_progress: is given what it says.
        on_epochs: is given the records of all epochs so far, after each.

    Raises:
        TaskFailed: it gave no result.
    """

    def say(line: str) -> None:
        epochs = read_epochs(line)
        if epochs is None:
            on_progress(line)
        else:
            on_epochs(epochs)

    path = folder / TRAINED_FILE
    for attempt in range(1, _ATTEMPTS + 1):
        if path.exists():
            break
        try:
            run(trial, folder, say)
        except ProcessDied as error:
            if attempt == _ATTEMPTS:
                raise
            on_progress(f"{error}; it is gone on with")
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told
