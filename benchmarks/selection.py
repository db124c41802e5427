"""Which epoch each rule of `training.select_by` keeps, and what the kept model is worth.

    python -m benchmarks.selection                   # a funnel like a real one, and simulated logs
    python -m benchmarks.selection --data DIR        # census-income-kdd/ in DIR besides

A model is trained once per data set, without early stopping, and predicts all held-out rows after
every epoch. Then validation splits of a usual size are drawn from these rows again and again, and
every rule chooses an epoch by each, with patience 2. What that epoch's model is worth is measured
on all held-out rows. The rules see the same trainings and the same draws.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "0"

import tensorflow as tf  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

from mtlx.trainer.examples.input import ExampleSet  # noqa: E402
from mtlx.trainer.examples.labels import labels_and_mask  # noqa: E402
from mtlx.trainer.model.ranking_model import RankingModel  # noqa: E402
from mtlx.trainer.settings import ModelSettings, SelectionSettings, TrainingSettings  # noqa: E402
from mtlx.trainer.training.addition import Addition  # noqa: E402
from mtlx.trainer.training.checkpoint import CheckpointFolder  # noqa: E402
from mtlx.trainer.training.job import TrainingJob  # noqa: E402
from mtlx.trainer.training.methods.standard import Standard  # noqa: E402
from mtlx.trainer.training.training_progress import TrainingProgress  # noqa: E402
from mtlx.trainer.validation.measure import measure  # noqa: E402
from mtlx.trainer.validation.selection import Selection  # noqa: E402
from mtlx.trainer.validation.validation import Validation  # noqa: E402
from mtlx.transform.contract.model_inputs import (  # noqa: E402
    FIRST_VALUE_ID,
    CategoricalInput,
    ModelInputs,
    TaskSpec,
)

EPOCHS, PATIENCE = 8, 2
RULES: dict[str, dict[str, Any]] = {
    "mean AUC (the rule before)": {"metric": "auc", "shrinkage": 0},
    "AUC": {"metric": "auc"},
    "relative AUC": {"metric": "relative_auc"},
    "log loss": {"metric": "log_loss"},
    "normalised entropy, k = 0": {"shrinkage": 0},
    "normalised entropy, k = 30": {"shrinkage": 30},
    "normalised entropy (the default)": {},
    "normalised entropy, k = 300": {"shrinkage": 300},
}
MODEL = {
    "network": "mmoe",
    "embedding_size": 8,
    "sequence_encoder": "none",
    "options": {"experts": 4, "expert_hidden": [64], "tower_hidden": [32]},
}


@dataclass(frozen=True)
class DataSet:
    """Rows to train on and rows that are held out.

    Attributes:
        name: for the table.
        train: features as text or numbers, and labels.
        held_out: the same.
        tasks: of both.
        validation_rows: of one draw.
        training: settings of its own.
    """

    name: str
    train: pd.DataFrame
    held_out: pd.DataFrame
    tasks: tuple[TaskSpec, ...]
    validation_rows: int
    training: dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder that holds census-income-kdd/")
    parser.add_argument("--draws", type=int, default=200)
    arguments = parser.parse_args()
    for data in _data_sets(arguments.data):
        labels, mask, predicted = _train(data)
        _print(data, labels, mask, predicted, arguments.draws)


def _data_sets(folder: Path | None) -> Iterator[DataSet]:
    yield _funnel()
    yield _simulated()
    if folder is not None:
        yield _census(folder)


def _funnel() -> DataSet:
    """An e-mail campaign's funnel: visits of 15 %, and 117 conversions among 64,000 rows.

    A tenth of the 64,000 rows is what validates; the rows that are held out here are more, so that
    there is something to draw from and to measure by.
    """
    random = np.random.default_rng(1)
    rows, kinds = 57_600 + 128_000, {"segment": 3, "channel": 3, "zip": 3, "recency": 12}
    kinds |= {"history": 40, "interest": 60}
    frame = pd.DataFrame({name: random.integers(0, n, rows) for name, n in kinds.items()})
    effects = {name: random.normal(size=(2, n)) for name, n in kinds.items()}
    for index, (task, rate, spread) in enumerate(
        (("visit", 0.147, 0.28), ("conversion", 117 / 64_000, 0.2))
    ):
        logit = sum(effects[name][index][frame[name]] for name in kinds) * spread
        shift = np.log(rate / (1 - rate)) - np.log(np.mean(np.exp(logit)))
        frame[task] = (random.random(rows) < 1 / (1 + np.exp(-logit - shift))).astype(int)
    return DataSet(
        "funnel", frame[:57_600], frame[57_600:],
        (TaskSpec("visit", "visit"), TaskSpec("conversion", "conversion")), 6400,
        {"learning_rate": 0.0005, "batch_size": 1024},
    )  # fmt: skip


def _simulated() -> DataSet:
    """Days 1 to 5 of simulated logs train, the rest is held out."""
    from mtlx.pipeline.simulation.settings import SimulationSettings
    from mtlx.pipeline.simulation.simulator import simulate

    with tempfile.TemporaryDirectory() as folder:
        simulate(SimulationSettings(rows=60_000), Path(folder))
        days = sorted(Path(folder).glob("logs/day=*"))
        parts = [
            pd.concat([pd.read_csv(path) for day in chosen for path in sorted(day.glob("*.csv"))])
            for chosen in (days[:5], days[5:])
        ]
    names = ["gender", "city", "segment", "item_id", "category", "brand", "scenario", "age"]
    names += ["price", "popularity", "click", "add_to_cart", "purchase"]
    tasks = (
        TaskSpec("click", "click"),
        TaskSpec("add_to_cart", "add_to_cart", "click", "click"),
        TaskSpec("purchase", "purchase", "add_to_cart", "add_to_cart"),
    )
    train, held_out = (part[names].reset_index(drop=True) for part in parts)
    return DataSet("simulated logs", train, held_out, tasks, 4000, {"batch_size": 512})


def _census(folder: Path) -> DataSet:
    """20,000 rows of the training file train, 30,000 of the test file are held out."""
    from mtlx.components.log_example_gen.readers.census_income import FIELDS

    frames = []
    for name, rows in (("data", 20_000), ("test", 30_000)):
        path = folder / "census-income-kdd" / f"census-income.{name}.gz"
        frame = pd.read_csv(path, names=list(FIELDS), skipinitialspace=True).sample(
            rows, random_state=1
        )
        frame["income"] = (frame["total_income"].str.strip() == "50000+.").astype(int)
        frame["never_married"] = (frame["marital_status"].str.strip() == "Never married").astype(
            int
        )
        frame = frame.drop(columns=["total_income", "marital_status", "instance_weight"])
        frames.append(frame.reset_index(drop=True))
    tasks = (TaskSpec("income", "income"), TaskSpec("never_married", "never_married"))
    return DataSet("census income", *frames, tasks, 4000, {"batch_size": 512})


def _train(data: DataSet) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Labels and populations of the held-out rows ``(n, T)``, predictions ``(n, T)`` per epoch."""
    encoded = _encoded(data)
    inputs, spec = _inputs(data, encoded)
    settings = TrainingSettings.read(
        {"epochs": EPOCHS, "patience": None, "shuffle_rows": 200_000, **data.training}
    )
    predicted: list[np.ndarray] = []
    with tempfile.TemporaryDirectory() as folder:
        sets = []
        for name, frame in zip(("train", "held_out"), encoded, strict=True):
            path = os.path.join(folder, f"{name}.gz")
            _write(path, frame)
            sets.append(ExampleSet([path], spec, settings.shuffle_rows, in_memory=True))
        job = TrainingJob(
            settings,
            inputs,
            lambda: RankingModel(inputs, ModelSettings.read(MODEL)),
            *sets,
            CheckpointFolder(folder, "checkpoint"),
            tf.distribute.get_strategy(),
        )

        class Observed(Addition):
            def after_epoch(self, progress: TrainingProgress) -> None:
                batches = job.validation.in_order(8192)
                parts = [method.loop.model(batch)["probabilities"].numpy() for batch in batches]
                predicted.append(np.concatenate(parts))

        method = Standard(job, Observed())
        method.train()
        pairs = [labels_and_mask(batch, data.tasks) for batch in sets[1].in_order(8192)]
        labels, mask = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    return labels, mask > 0.5, predicted


def _inputs(
    data: DataSet, encoded: tuple[pd.DataFrame, pd.DataFrame]
) -> tuple[ModelInputs, dict[str, tf.io.FixedLenFeature]]:
    largest = pd.concat(encoded).max()
    labels = [task.label for task in data.tasks]
    fields = tuple(
        CategoricalInput(name, int(largest[name]) + 1) for name in encoded[0] if name not in labels
    )
    spec = {name: tf.io.FixedLenFeature([], tf.int64) for name in encoded[0]}
    return ModelInputs(fields, (), (), None, ("all",), data.tasks), spec


def _encoded(data: DataSet) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ids: of numbers with many values those of twenty quantiles, of text those of the values."""
    labels = [task.label for task in data.tasks]
    both = pd.concat([data.train, data.held_out], ignore_index=True)
    for name in both.columns.difference(labels):
        column = both[name]
        if pd.api.types.is_numeric_dtype(column) and column.nunique() > 100:
            column = pd.qcut(column, 20, duplicates="drop").astype(str)
        both[name] = pd.factorize(column.astype(str))[0] + FIRST_VALUE_ID
    return both[: len(data.train)], both[len(data.train) :]


def _write(path: str, frame: pd.DataFrame) -> None:
    columns = {name: frame[name].to_numpy() for name in frame}
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for row in range(len(frame)):
            example = tf.train.Example()
            for name, values in columns.items():
                example.features.feature[name].int64_list.value.append(int(values[row]))
            writer.write(example.SerializeToString())


def _validation(
    data: DataSet, labels: np.ndarray, mask: np.ndarray, scores: np.ndarray, rows: np.ndarray
) -> Validation:
    """Measures on some of the held-out rows."""
    found = {}
    for index, task in enumerate(data.tasks):
        own = rows[mask[rows, index]]
        found[task.name] = measure(labels[own, index], scores[own, index])
    return Validation(found)


def _kept(selection: Selection, validations: list[Validation]) -> int:
    """Index of the epoch that is kept."""
    best, kept = None, 0
    for epoch, validation in enumerate(validations):
        value = selection.score(validation).value
        if selection.is_better(value, best):
            best, kept = value, epoch
        elif epoch - kept >= PATIENCE:
            break
    return kept


def _print(
    data: DataSet,
    labels: np.ndarray,
    mask: np.ndarray,
    predicted: list[np.ndarray],
    draws: int,
) -> None:
    rows = np.arange(len(labels))
    truth = [_validation(data, labels, mask, scores, rows) for scores in predicted]
    random = np.random.default_rng(0)
    kept: dict[str, list[int]] = {name: [] for name in RULES}
    positives = []
    for _ in range(draws):
        drawn = random.choice(rows, data.validation_rows, replace=False)
        seen = [_validation(data, labels, mask, scores, drawn) for scores in predicted]
        positives.append([found.positives for found in seen[0].tasks.values()])
        for name, settings in RULES.items():
            selection = Selection(SelectionSettings.read(settings))
            kept[name].append(_kept(selection, seen))
    names = [task.name for task in data.tasks]
    counts = ", ".join(
        f"{name} {number:.0f}"
        for name, number in zip(names, np.mean(positives, axis=0), strict=True)
    )
    table = Table(
        "rule", "kept epoch, mean", *(f"{name}: AUC, entropy" for name in names),
        title=f"{data.name}: {data.validation_rows:,} validation rows, positives: {counts}",
        title_justify="left",
    )  # fmt: skip
    values = np.array(
        [[(m.auc, m.loss / m.base_entropy) for m in found.tasks.values()] for found in truth]
    )  # (epochs, T, 2)
    for epoch, found in enumerate(values):
        table.add_row(f"epoch {epoch + 1}", "", *(f"{auc:.4f}, {loss:.4f}" for auc, loss in found))
    table.add_section()
    for name, epochs in kept.items():
        means = values[epochs].mean(axis=0)
        shown = f"{np.mean(epochs) + 1:.1f}"
        table.add_row(name, shown, *(f"{auc:.4f}, {loss:.4f}" for auc, loss in means))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
