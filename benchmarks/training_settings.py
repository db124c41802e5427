"""What settings of the training are worth, on simulated logs, Census-Income and MovieLens-1M.

    python -m benchmarks.training_settings --data DIR          # DIR: census-income-kdd/ and ml-1m/
    python -m benchmarks.training_settings simulated --seeds 1 2 3

A pipeline run makes each data set's examples once; then a network is trained on them again and
again, with one setting changed at a time. The validation split chooses the epoch; the table has the
AUC on the test split, as mean over the seeds and, behind ±, the standard deviation of one training.
Every training is a line of `training_settings.jsonl`, so that an interrupted benchmark goes on.
"""

import argparse
import json
import os
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "0"

FOLDER = Path("var/benchmarks/training_settings")
CONFIGS = Path(__file__).parents[1] / "configs"

#: By data set: its experiment, rows that are drawn of each split, and the training's base.
DATA = {
    "simulated": ("default.yaml", {}, {"batch_size": 256}),
    "census": ("census_income.yaml", {"train": 60_000}, {"batch_size": 512}),
    "movielens": (
        "movielens_random.yaml",
        {"train": 160_000, "validation": 20_000, "test": 40_000},
        {"batch_size": 1024},
    ),
}
SIMULATED_ROWS = 60_000
BASE = {"learning_rate": 1e-3, "epochs": 8, "patience": 2, "shuffle_rows": 200_000}
MODELS = {
    "mmoe": {
        "network": "mmoe",
        "embedding_size": 8,
        "options": {"experts": 4, "expert_hidden": [64], "tower_hidden": [32]},
    },
    "dtn": {
        "network": "dtn",
        "embedding_size": 8,
        "options": {
            "units": 32,
            "tower_hidden": [32],
            "interactions": [
                {"name": "gdcn", "options": {"rank": 16}},
                {"name": "masknet", "options": {"aggregation": 32, "blocks": 1}},
            ],
        },
    },
}
SMOOTH = "label_smoothing"
#: By name of the row: model, changes of `training`, changes of the network's options.
CELLS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "MMoE, rate 0.001": ("mmoe", {}, {}),
    "rate 0.003": ("mmoe", {"learning_rate": 3e-3}, {}),
    "rate 0.001, cosine": ("mmoe", {"schedule": "cosine"}, {}),
    "rate 0.003, cosine": ("mmoe", {"learning_rate": 3e-3, "schedule": "cosine"}, {}),
    "rate 0.003, cosine, warm-up 5 %": (
        "mmoe",
        {"learning_rate": 3e-3, "schedule": {"name": "cosine", "warm_up_share": 0.05}},
        {},
    ),
    "rate 0.003, cosine over 3 epochs": (
        "mmoe",
        {"learning_rate": 3e-3, "schedule": "cosine", "epochs": 3},
        {},
    ),
    "rate 0.003, plateau, patience 3": (
        "mmoe",
        {"learning_rate": 3e-3, "schedule": "plateau", "patience": 3},
        {},
    ),
    "average 0.99": ("mmoe", {"average": 0.99}, {}),
    "rate 0.003, average 0.99": ("mmoe", {"learning_rate": 3e-3, "average": 0.99}, {}),
    "tables' rate 0.003": ("mmoe", {"embeddings": {"learning_rate": 3e-3}}, {}),
    "tables' l2 0.00001": ("mmoe", {"embeddings": {"l2": 1e-5}}, {}),
    "smoothing 0.02 towards 1/2": (
        "mmoe",
        {"loss": [{"name": "binary_cross_entropy", "options": {SMOOTH: 0.02}}]},
        {},
    ),
    "smoothing 0.05 towards the rate": (
        "mmoe",
        {
            "loss": [
                {
                    "name": "binary_cross_entropy",
                    "options": {SMOOTH: 0.05, "smooth_towards": "base_rate"},
                }
            ]
        },
        {},
    ),
    "batch normalisation": ("mmoe", {}, {"normalization": "batch"}),
    "layer normalisation": ("mmoe", {}, {"normalization": "layer"}),
    "batches four times as large": ("mmoe", {"batch_size": 4}, {}),
    "DTN, rate 0.001": ("dtn", {}, {}),
    "DTN, rate 0.003, cosine": ("dtn", {"learning_rate": 3e-3, "schedule": "cosine"}, {}),
    "DTN, rate 0.003, average 0.99": ("dtn", {"learning_rate": 3e-3, "average": 0.99}, {}),
}


@dataclass(frozen=True)
class Examples:
    """Transformed rows by split, and what a model of them is built from.

    Attributes:
        inputs: features, domains and tasks.
        splits: split to arrays by feature's name.
    """

    inputs: Any
    splits: dict[str, dict[str, np.ndarray]]


class Rows:
    """Rows in memory, with the interface of `mtlx.trainer.examples.input.ExampleSet`."""

    def __init__(self, columns: dict[str, np.ndarray]) -> None:
        import tensorflow as tf

        self.rows = len(next(iter(columns.values())))
        self._columns = {name: tf.constant(values) for name, values in columns.items()}

    @property
    def first_row(self) -> Any:
        """The first row alone."""
        return {name: values[:1] for name, values in self._columns.items()}

    def epoch(self, batch_size: int, seed: int, epoch: int, skip: int = 0) -> Any:
        """Shuffled batches."""
        order = np.random.default_rng([seed, epoch]).permutation(self.rows)
        return self._batches(order, batch_size).skip(skip)

    def in_order(self, batch_size: int) -> Any:
        """Batches in order."""
        return self._batches(np.arange(self.rows), batch_size)

    def _batches(self, order: np.ndarray, batch_size: int) -> Any:
        import tensorflow as tf

        batches = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return batches.map(
            lambda rows: {name: tf.gather(values, rows) for name, values in self._columns.items()}
        ).prefetch(2)


def main() -> None:
    arguments = _arguments()
    FOLDER.mkdir(parents=True, exist_ok=True)
    store = FOLDER / "training_settings.jsonl"
    for data in arguments.sets:
        examples = None
        for seed in arguments.seeds:
            for name in arguments.cells or CELLS:
                if (data, name, seed) in _done(store):
                    continue
                examples = examples or make_examples(data, arguments.data)
                found = _train(data, examples, name, seed)
                with store.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(found) + "\n")
                print(found, flush=True)
    print("\n".join(_table(store)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(DATA), help=f"of {', '.join(DATA)}")
    parser.add_argument("--data", type=Path, help="folder with census-income-kdd/ and ml-1m/")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--cells", nargs="+", choices=CELLS, help="rows of the table")
    return parser.parse_args()


def _done(store: Path) -> dict[tuple[str, str, int], dict[str, Any]]:
    lines = store.read_text(encoding="utf-8").splitlines() if store.exists() else []
    found = [json.loads(line) for line in lines]
    return {(line["data"], line["cell"], line["seed"]): line for line in found}


def make_examples(data: str, folder: Path | None) -> Examples:
    """Made by a pipeline run with the smallest of models; the test split by the same transform."""
    import tensorflow_transform as tft

    from mtlx.pipeline.experiment.experiment_file import read_experiment
    from mtlx.pipeline.run.local_run import run_experiment
    from mtlx.transform.analysis.model_inputs_builder import build_model_inputs

    experiment = read_experiment(_experiment(data, folder))
    result = run_experiment(experiment)
    transformed = tft.TFTransformOutput(result.output("Transform", "transform_graph"))
    made = result.output("Transform", "transformed_examples")
    raw = result.output("LogExampleGen", "examples")
    splits = {
        split: _columns(f"{made}/Split-{split}/*", transformed.transformed_feature_spec())
        for split in ("train", "validation")
    }
    splits["test"] = _transformed(f"{raw}/Split-test/*", transformed)
    random = np.random.default_rng(0)
    for split, rows in DATA[data][1].items():
        count = len(next(iter(splits[split].values())))
        chosen = np.sort(random.permutation(count)[:rows])
        splits[split] = {name: values[chosen] for name, values in splits[split].items()}
    return Examples(build_model_inputs(experiment.contract, transformed), splits)


def _experiment(data: str, folder: Path | None) -> Path:
    """The data set's own experiment with a model that costs nothing."""
    from mtlx.pipeline.simulation.settings import SimulationSettings
    from mtlx.pipeline.simulation.simulator import simulate

    values = yaml.safe_load((CONFIGS / DATA[data][0]).read_text(encoding="utf-8"))
    if data == "simulated":
        logs = FOLDER.resolve() / f"logs-{SIMULATED_ROWS}"
        if not logs.exists():
            simulate(SimulationSettings(rows=SIMULATED_ROWS), logs)
        values["data"]["path"] = str(logs / "logs/day=*/*.csv")
    elif folder is None:
        raise SystemExit(f"{data} needs --data")
    else:
        values["data"]["path"] = str(folder.resolve() / values["data"]["path"])
    options = {"hidden": [2]}
    values["model"] = {"network": "single_task", "embedding_size": 1, "options": options}
    values["training"] = {"epochs": 1}
    first = next(iter(values["tasks"]))
    rule = {"rule": "auc", "task": first, "slice": "overall", "minimum": 0.0}
    values["gate"] = {"first_run": "push", "thresholds": [rule]}
    values["serving"] = values["report"] = {}
    values["evaluation"] = {"slices": [], "user_key": values["evaluation"].get("user_key")}
    values["run"] = {"pipeline_root": str(FOLDER.resolve() / f"root-{data}")}
    path = FOLDER / f"{data}.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def _batches(pattern: str, spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    import tensorflow as tf

    files = sorted(tf.io.gfile.glob(pattern))
    for records in tf.data.TFRecordDataset(files, "GZIP").batch(8192):
        yield tf.io.parse_example(records, spec)


def _columns(pattern: str, spec: dict[str, Any]) -> dict[str, np.ndarray]:
    parts = list(_batches(pattern, spec))
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in spec}


def _transformed(pattern: str, transformed: Any) -> dict[str, np.ndarray]:
    layer = transformed.transform_features_layer()
    spec = transformed.raw_feature_spec()
    parts = [layer(batch) for batch in _batches(pattern, spec)]
    return {
        name: np.concatenate([part[name].numpy() for part in parts])
        for name in transformed.transformed_feature_spec()
    }


def _train(data: str, examples: Examples, name: str, seed: int) -> dict[str, Any]:
    """One training, and the AUC by task on the test split."""
    from mtlx.trainer.model.ranking_model import RankingModel
    from mtlx.trainer.settings import ModelSettings

    model_name, changes, options = CELLS[name]
    chosen = MODELS[model_name]
    model = ModelSettings.read({**chosen, "options": {**chosen["options"], **options}})
    training = {**BASE, **DATA[data][2], **changes, "seed": seed}
    if "batch_size" in changes:
        training["batch_size"] = DATA[data][2]["batch_size"] * changes["batch_size"]
    found = train(examples, training, lambda: RankingModel(examples.inputs, model))
    return {"data": data, "cell": name, "seed": seed, **found}


def train(examples: Examples, training: dict[str, Any], build: Callable[[], Any]) -> dict[str, Any]:
    """Trains a model and measures it on the test split.

    Args:
        examples: all splits.
        training: settings.
        build: makes the model.

    Returns:
        Of every task the "auc" and the relative "entropy", the "best_epoch", the number of
        "epochs", and "seconds" of processor time.
    """
    import tempfile
    import time

    import keras
    import tensorflow as tf

    from mtlx.trainer.settings import TrainingSettings
    from mtlx.trainer.training.checkpoint import CheckpointFolder
    from mtlx.trainer.training.job import TrainingJob
    from mtlx.trainer.training.methods.standard import Standard
    from mtlx.trainer.validation.validation import validate

    keras.backend.clear_session()
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        job = TrainingJob(
            TrainingSettings.read({**training, "checkpoint_every_steps": 1_000_000}),
            examples.inputs,
            build,
            Rows(examples.splits["train"]),
            Rows(examples.splits["validation"]),
            CheckpointFolder(folder, "checkpoint"),
            tf.distribute.get_strategy(),
        )
        result = Standard(job).train()
    seconds = time.process_time() - started
    trained = job.build_model()
    for variable, value in zip(trained.variables, result.weights, strict=True):
        variable.assign(value)
    predict = tf.function(lambda batch: trained(batch, training=False), reduce_retracing=True)
    tasks = examples.inputs.tasks
    found = validate(predict, Rows(examples.splits["test"]).in_order(8192), tasks)
    return {
        "auc": found.auc,
        "entropy": {n: m.loss / m.base_entropy for n, m in found.tasks.items()},
        "best_epoch": result.history.best_epoch,
        "epochs": len(result.history.epochs),
        "seconds": seconds,
    }


def _table(store: Path) -> list[str]:
    """A Markdown table per data set."""
    lines: list[str] = []
    found = list(_done(store).values())
    for data in DATA:
        own = [line for line in found if line["data"] == data]
        if not own:
            continue
        tasks = list(own[0]["auc"])
        head = [f"{task}: AUC, entropy" for task in tasks]
        lines += ["", f"| {data} | {' | '.join(head)} | kept epoch | seeds | CPU s |"]
        lines.append("|---|" + "---|" * (len(tasks) + 3))
        for name in CELLS:
            rows = [line for line in own if line["cell"] == name]
            if rows:
                lines.append(_line(name, rows, tasks))
    return lines


def _line(name: str, rows: list[dict[str, Any]], tasks: list[str]) -> str:
    cells = []
    for task in tasks:
        aucs = [row["auc"][task] for row in rows]
        spread = f" ± {statistics.stdev(aucs):.4f}" if len(aucs) > 1 else ""
        entropy = statistics.mean(row["entropy"][task] for row in rows)
        cells.append(f"{statistics.mean(aucs):.4f}{spread}, {entropy:.4f}")
    epoch = statistics.mean(row["best_epoch"] for row in rows)
    seconds = statistics.mean(row["seconds"] for row in rows)
    return f"| {name} | {' | '.join(cells)} | {epoch:.1f} | {len(rows)} | {seconds:.0f} |"


if __name__ == "__main__":
    main()
