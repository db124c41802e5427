"""Seconds of SliceEvaluation beside stock TFMA and plain prediction, on the same model and rows.

    python -m benchmarks.slice_evaluation      # after python -m benchmarks.chain --only ours

Three tasks, all rows, 3 domains and a cross of 144 slices; one model, as in the benchmark of the
chain, whose model and test split are used. "All metrics" are those of rows, users and requests,
beside the same evaluation with users as clusters; a request is what a user saw in an hour.
"""

import argparse
import json
import shutil
import statistics
import time
from pathlib import Path

import tensorflow as tf
import tensorflow_model_analysis as tfma
import yaml
from rich.console import Console
from rich.table import Table
from tfx.types import standard_artifacts

from benchmarks.chain import EXPERIMENT, FOLDER
from mtlx.components.slice_evaluation.executor import Executor
from mtlx.transform.contract.data_contract import DataContract

#: Users as clusters, without and with all further metrics.
USERS = {"user_key": "user_id", "metrics": []}
ALL_METRICS = {
    "user_key": "user_id",
    "request_key": "hour",
    "metrics": [
        *("normalised_entropy", "ece", "rmse", "xauc", "gauc", "gauc_equal"),
        *("ndcg@10", "mrr", "recall@10"),
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--stock", action="store_true", help="run stock TFMA too (minutes)")
    arguments = parser.parse_args()
    root = FOLDER.resolve() / "ours" / "artifacts"
    examples = standard_artifacts.Examples()
    examples.uri = str(_latest(root / "LogExampleGen" / "examples"))
    examples.split_names = json.dumps(["train", "validation", "test"])
    model = standard_artifacts.Model()
    model.uri = str(_latest(root / "Trainer" / "model"))
    values = yaml.safe_load(EXPERIMENT.read_text(encoding="utf-8"))
    out = FOLDER.resolve() / "evaluation"
    saved, test = f"{model.uri}/Format-Serving", f"{examples.uri}/Split-test/*"
    sides = {"plain prediction": lambda: _predict(saved, test)}
    sides["SliceEvaluation"] = lambda: _ours(examples, model, values, out)
    sides["with users"] = lambda: _ours(examples, model, values, out, USERS)
    sides["with users, all metrics"] = lambda: _ours(examples, model, values, out, ALL_METRICS)
    seconds = {name: [_timed(run) for _ in range(arguments.repeat)] for name, run in sides.items()}
    if arguments.stock:
        config = tfma.load_eval_result(str(out)).config
        seconds["stock TFMA"] = [_timed(lambda: _stock(saved, test, config, out))]
    table = Table("", "seconds, median", "range", "of plain prediction")
    base = statistics.median(seconds["plain prediction"])
    for name, found in seconds.items():
        median = statistics.median(found)
        spread = f"{min(found):.2f}–{max(found):.2f}"
        table.add_row(name, f"{median:.2f}", spread, f"{median / base:.1f}×")
    Console(width=110).print(table)


def _latest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: int(path.name))


def _timed(run: object) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _predict(saved: str, pattern: str) -> None:
    """Loads the model and scores all rows, and nothing else."""
    signature = tf.saved_model.load(saved).signatures["serving_default"]
    records = tf.data.TFRecordDataset(tf.io.gfile.glob(pattern), "GZIP")
    for batch in records.batch(8192).prefetch(2):
        signature(batch)


def _ours(
    examples: standard_artifacts.Examples,
    model: standard_artifacts.Model,
    values: dict,
    out: Path,
    further: dict | None = None,
) -> None:
    from mtlx.components.slice_evaluation.settings import EvaluationSettings

    shutil.rmtree(out, ignore_errors=True)
    evaluation = standard_artifacts.ModelEvaluation()
    evaluation.uri = str(out)
    contract = DataContract.read(
        {key: values[key] for key in DataContract.model_fields if key in values}
    )
    context = Executor.Context(tmp_dir=str(out) + "-temporary/", unique_id="benchmark")
    Executor(context).Do(
        {"examples": [examples], "candidate": [model]},
        {"evaluation": [evaluation]},
        {
            "data_contract": contract.to_json(),
            "evaluation_settings": EvaluationSettings.read(
                values["evaluation"] | (further or {})
            ).to_json(),
        },
    )


def _stock(saved: str, pattern: str, config: tfma.EvalConfig, out: Path) -> None:
    """TFMA's own evaluator with the configuration that SliceEvaluation has written."""
    shared = tfma.default_eval_shared_model(
        eval_saved_model_path=saved, model_name="candidate", eval_config=config
    )
    tfma.run_model_analysis(
        eval_shared_model=shared,
        eval_config=config,
        data_location=pattern,
        file_format="tfrecords",
        output_path=str(out) + "-stock",
    )


if __name__ == "__main__":
    main()
