"""What is shown of the trainings: curves, epochs, gate weights and where the time went."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mtlx.components.log_example_gen.ingestion_summary import IngestionSummary
from mtlx.components.report.report_data import Training
from mtlx.components.report.sections.line_chart import LineChart, line_chart


@dataclass(frozen=True)
class GateTable:
    """Mean weight that each task's gate gives each expert (DTN Fig. 4).

    Attributes:
        model: whose gates.
        experts: names, as rows.
        weights: by task and expert.
        contributions: likewise what each expert adds to its gate's mix, as a share; empty for a
            training whose record has none.
        largest: of all weights, for the length of the bars.
    """

    model: str
    experts: tuple[str, ...]
    weights: dict[str, dict[str, float]]
    contributions: dict[str, dict[str, float]]
    largest: float


@dataclass(frozen=True)
class EpochRow:
    """One epoch on the validation split.

    Attributes:
        epoch: number.
        kept: whether its weights were kept.
        loss: of the training; None where no step was taken.
        selection: what epochs are compared by; None where the record has no such value.
        values: AUC and log loss of each task, None where undefined.
    """

    epoch: int
    kept: bool
    loss: float | None
    selection: float | None
    values: tuple[tuple[float | None, float | None], ...]


@dataclass(frozen=True)
class EpochTable:
    """All epochs of a training.

    Attributes:
        model: whose training.
        selection: name of what epochs are compared by; None where the record has none.
        tasks: names, in the order of the rows' values.
        rows: one per epoch.
    """

    model: str
    selection: str | None
    tasks: tuple[str, ...]
    rows: tuple[EpochRow, ...]


def epoch_tables(trainings: tuple[Training, ...]) -> list[EpochTable]:
    """Returns one table per model."""
    tables = []
    for training in trainings:
        history = training.history
        tasks = tuple(
            dict.fromkeys(task for epoch in history["epochs"] for task in epoch["validation_auc"])
        )
        rows = tuple(
            EpochRow(
                epoch["epoch"],
                epoch["epoch"] == history["best_epoch"],
                epoch["loss"],
                epoch.get("selection"),
                tuple(
                    (epoch["validation_auc"].get(task), epoch.get("validation_loss", {}).get(task))
                    for task in tasks
                ),
            )
            for epoch in history["epochs"]
        )
        name = history.get("selection", {}).get("name")
        tables.append(EpochTable(training.model, name, tasks, rows))
    return tables


def charts(trainings: tuple[Training, ...]) -> list[LineChart]:
    """Returns the loss, then each task's validation AUC, of all models over epochs."""
    tasks = dict.fromkeys(
        task
        for training in trainings
        for epoch in training.history["epochs"]
        for task in epoch["validation_auc"]
    )
    best = {training.model: training.history["best_epoch"] for training in trainings}
    drawn = [line_chart("Training loss", _series(trainings, lambda epoch: epoch["loss"]), best)]
    for task in tasks:

        def auc(epoch: dict[str, Any], task: str = task) -> float | None:
            return epoch["validation_auc"].get(task)

        values = _series(trainings, auc)
        drawn.append(line_chart(f"Validation AUC, {task}", values, best))
    return [chart for chart in drawn if chart is not None]


def _series(
    trainings: tuple[Training, ...], value: Callable[[dict[str, Any]], float | None]
) -> dict[str, list[tuple[int, float]]]:
    """Values by model, without the epochs in which there is none, or no step was taken."""
    return {
        training.model: [
            (epoch["epoch"], found)
            for epoch in training.history["epochs"]
            if epoch["epoch"] > 0 and (found := value(epoch)) is not None
        ]
        for training in trainings
    }


def gate_tables(trainings: tuple[Training, ...]) -> list[GateTable]:
    """Returns one table per model that has gates."""
    tables = []
    for training in trainings:
        weights = training.history.get("gate_weights") or {}
        experts = dict.fromkeys(expert for row in weights.values() for expert in row)
        added = training.history.get("gate_contributions") or {}
        rows = (*weights.values(), *added.values())
        largest = max((value for row in rows for value in row.values()), default=0.0)
        if experts:
            table = GateTable(training.model, tuple(experts), weights, added, largest or 1.0)
            tables.append(table)
    return tables


#: How the stages of `history.json` are called in the report.
_STAGES = {
    "input": "Training: waiting for input",
    "step": "Training: steps on the device",
    "validation": "Training: validation",
    "export": "Training: export",
}


def time_rows(
    ingestion: IngestionSummary | None, trainings: tuple[Training, ...]
) -> list[tuple[str, dict[str, float]]]:
    """Returns stages with their seconds by model; the ingestion is counted to the candidate."""
    rows: list[tuple[str, dict[str, float]]] = []
    if ingestion and ingestion.get("seconds") is not None and trainings:
        rows.append(("Ingestion", {trainings[0].model: ingestion["seconds"]}))
    stages = dict.fromkeys(
        stage for training in trainings for stage in training.history.get("seconds", {})
    )
    for stage in stages:
        seconds = {
            training.model: training.history["seconds"][stage]
            for training in trainings
            if stage in training.history.get("seconds", {})
        }
        rows.append((_STAGES.get(stage, stage), seconds))
    return rows
