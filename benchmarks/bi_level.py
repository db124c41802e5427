"""What M3oE's fusion weights learn beside experts that learn, and what it is worth.

    python -m benchmarks.bi_level                           # the table, half an hour
    python -m benchmarks.bi_level --data domains_apart --way bi_level --seeds 1

Three domains and two tasks, whose labels follow combinations of two ids: the same ones in all
domains, or others in each; the same for both tasks, or others. The table has the test AUC, the mean
of the domains' and tasks' AUCs, of the epoch of twelve that is best on validation rows, and the
fusion weights of that epoch. ``fixed`` has 0.5 for all of them, ``released`` is what the released
code of M3oE does, ``with_the_rest`` has no steps of their own.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from benchmarks.planted_tasks import FIELDS, IDS, Columns, combination
from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

DOMAINS, TASKS = ("feed", "search", "page"), ("click", "like")
ROWS = {"train": 24_000, "validation": 6_000, "test": 30_000}
#: By kind of data: whether domains follow the same combinations, and whether tasks do.
DATA = {
    "all_alike": (True, True),
    "domains_apart": (False, True),
    "tasks_apart": (True, False),
    "all_apart": (False, False),
}
#: By name: how z is fused, the training method and its options.
WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "fixed": ("fixed", "standard", {}),
    "bi_level": ("learnt", "bi_level", {}),
    "released": (
        "learnt",
        "bi_level",
        {
            "every_steps": None,
            "learning_rate": 0.001,
            "batch_from": "train",
            "main_trains_fusion": True,
        },
    ),
    "with_the_rest": ("learnt", "standard", {}),
}
_STRENGTH = 1.5
INPUTS = ModelInputs(
    tuple(CategoricalInput(name, IDS) for name in FIELDS),
    (),
    (),
    None,
    DOMAINS,
    tuple(TaskSpec(name, name) for name in TASKS),
)
_SPEC = {name: tf.io.FixedLenFeature([], tf.int64) for name in (*FIELDS, "domain_id", *TASKS)}
MODEL = {
    "domain_units": 32,
    "hidden": [32],
    "shared_experts": 1,
    "expert_hidden": [16],
    "tower_hidden": [16],
}


def draw(data: str, rows: int, seed: int) -> tuple[Columns, np.ndarray]:
    """Features and labels by name, and the labels' probabilities ``(rows, T)``."""
    domains_alike, tasks_alike = DATA[data]
    random = np.random.default_rng(seed)
    columns = {name: random.integers(2, IDS, rows) for name in FIELDS}
    domain = random.integers(0, len(DOMAINS), rows)
    probabilities = []
    for task in TASKS:
        of_domains = []
        for name in DOMAINS:
            which = f"{'' if domains_alike else name}/{'' if tasks_alike else task}"
            of_domains.append(combination(which, "user", "item", columns))
        logits = _STRENGTH * np.choose(domain, of_domains)
        probabilities.append(1 / (1 + np.exp(-logits)))
    stacked = np.stack(probabilities, axis=1)
    labels = random.random(stacked.shape) < stacked
    columns["domain_id"] = domain
    for place, task in enumerate(TASKS):
        columns[task] = labels[:, place].astype("int64")
    return columns, stacked


def mean_auc(columns: Columns, scores: np.ndarray) -> float:
    """The mean of the AUCs of every domain and task."""
    return statistics.mean(
        area_under_curve(columns[task][rows], scores[rows, place])
        for rows in (columns["domain_id"] == domain for domain in range(len(DOMAINS)))
        for place, task in enumerate(TASKS)
    )


def train(data: str, way: str, seed: int, **changes: Any) -> tuple[float, float, dict[str, float]]:
    """One training: test AUC, the best possible one, and α and β by name."""
    fusion, method, options = WAYS[way]
    keras.backend.clear_session()
    with tempfile.TemporaryDirectory() as folder:
        sets = {}
        for number, (split, rows) in enumerate(ROWS.items()):
            columns, truth = draw(data, rows, 10 * (seed if split == "train" else 0) + number)
            if split != "test":
                path = str(Path(folder, f"{split}.gz"))
                _write(path, columns)
                sets[split] = ExampleSet([path], _SPEC, 8192, True)
        model = ModelSettings(network="m3oe", options={**MODEL, "fusion": fusion}, embedding_size=8)
        settings = TrainingSettings.read({
            "epochs": 12, "patience": None, "batch_size": 256, "learning_rate": 0.003, "seed": seed,
            "checkpoint_every_steps": 1_000_000,
        })  # fmt: skip
        job = TrainingJob(
            settings,
            INPUTS,
            lambda: RankingModel(INPUTS, model),
            sets["train"],
            sets["validation"],
            CheckpointFolder(str(Path(folder, "checkpoints")), "training"),
            tf.distribute.get_strategy(),
        )
        training = TRAINING_METHODS.build(method, {**options, **changes}, job)
        result = training.train()
    trained = job.build_model()
    for variable, value in zip(trained.variables, result.weights, strict=True):
        variable.assign(value)
    outputs = trained({name: tf.constant(values) for name, values in columns.items()})
    fused = {
        variable.name: float(keras.ops.sigmoid(variable)) for variable in trained.fusion_variables
    }
    scores = outputs["probabilities"].numpy()
    return mean_auc(columns, scores), mean_auc(columns, truth), fused


def _write(path: str, columns: Columns) -> None:
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for row in range(len(columns["domain_id"])):
            example = tf.train.Example()
            for name, values in columns.items():
                example.features.feature[name].int64_list.value.append(int(values[row]))
            writer.write(example.SerializeToString())


def main() -> None:
    """Prints each training and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--way", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()
    console = Console(width=160)
    names = ("alpha_domain", "beta_domain", "alpha_task", "beta_task")
    table = Table("data", "way", "AUC by seed", "mean", "best possible", *names)
    for data in arguments.data:
        for way in arguments.way:
            runs = [train(data, way, seed) for seed in arguments.seeds]
            aucs = [run[0] for run in runs]
            fused = [" ".join(f"{run[2].get(name, 0.5):.2f}" for run in runs) for name in names]
            cells = (
                data,
                way,
                " ".join(f"{auc:.4f}" for auc in aucs),
                f"{statistics.mean(aucs):.4f}",
                f"{runs[0][1]:.4f}",
                *fused,
            )
            console.print(*cells)
            table.add_row(*cells)
    console.print(table)


if __name__ == "__main__":
    main()
