"""Runs the stock TFX chain and this project's on the same rows, and compares their seconds.

The stock chain is CsvExampleGen, StatisticsGen, SchemaGen, Transform, Trainer, Evaluator and
Pusher with default settings and stock analyzers and metrics. Both train the same model with the
same ``run_fn``. Behaviour sequences are left out on both sides, since CsvExampleGen has no lists.
Each side runs in a process of its own.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.chain_log import prepare_log
from transform.data_contract import DataContract

EXPERIMENT = Path(__file__).with_name("chain.yaml")
FOLDER = Path("var/benchmarks/chain")

#: Rows of the table: what is done, and by which nodes (stock, ours).
WORK = (
    ("Read the logs", ("CsvExampleGen", "LogExampleGen")),
    (
        "Statistics, schema, validation",
        ("StatisticsGen", "SchemaGen", "ExampleValidator", "AnomalyGuard"),
    ),
    ("Transform", ("Transform",)),
    ("Trainer", ("Trainer",)),
    (
        "Evaluate, decide",
        ("Evaluator", "LatestBlessedModel", "SliceEvaluation", "RelaImpGate"),
    ),
    ("Pusher", ("Pusher",)),
)

Nodes = list[tuple[str, float]]


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    if arguments.side:
        _run_side(arguments.side, arguments.rows, Path(arguments.out))
        return
    sides = [arguments.only] if arguments.only else ["stock", "ours"]
    results = {side: _in_own_process(side, arguments.rows) for side in sides}
    Console().print(_table(results, arguments.rows))
    summary = {"rows": arguments.rows, **results, "ratio": _ratios(results)}
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000, help="default: %(default)s")
    parser.add_argument("--only", choices=["stock", "ours"], help="run one of the two")
    parser.add_argument("--out", help="write the seconds to this JSON file")
    parser.add_argument("--side", choices=["stock", "ours"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_own_process(side: str, rows: int) -> dict[str, object]:
    """Runs one side from a cold start, as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "nodes.json")
        command = [sys.executable, "-m", "benchmarks.chain", "--side", side]
        subprocess.run([*command, "--rows", str(rows), "--out", str(out)], check=True)
        return json.loads(out.read_text(encoding="utf-8"))


def _run_side(side: str, rows: int, out: Path) -> None:
    """Runs one side here and writes its seconds; the log is made before the clock starts."""
    values = yaml.safe_load(EXPERIMENT.read_text(encoding="utf-8"))
    contract = DataContract.read(
        {key: values[key] for key in DataContract.model_fields if key in values}
    )
    logs = prepare_log(rows, contract, FOLDER.resolve())
    started = time.monotonic()
    nodes = run_stock(values, contract, logs) if side == "stock" else run_ours(values, logs)
    seconds = time.monotonic() - started
    out.write_text(json.dumps({"nodes": nodes, "wall_seconds": seconds}), encoding="utf-8")


def run_stock(values: dict, contract: DataContract, logs: Path) -> Nodes:
    """Seconds of each node of the stock chain, launched one after the other."""
    from tfx.dsl.compiler import compiler

    from benchmarks.stock_chain import create_stock_pipeline
    from pipeline import node_run
    from trainer.settings import ModelSettings, TrainingSettings

    folder = FOLDER.resolve() / "stock"
    shutil.rmtree(folder, ignore_errors=True)
    pipeline = compiler.Compiler().compile(
        create_stock_pipeline(
            logs,
            folder,
            contract,
            ModelSettings.read(values["model"]),
            TrainingSettings.read(values["training"]),
            values["evaluation"]["slices"],
        )
    )
    node_run.bind_run_id(pipeline, "benchmark")
    nodes = []
    for node_id in node_run.node_ids(pipeline):
        started = time.monotonic()
        node_run.run_node(pipeline, node_id)
        nodes.append((node_id, time.monotonic() - started))
        print(f"stock {node_id}: {nodes[-1][1]:.1f} s", flush=True)
    return nodes


def run_ours(values: dict, logs: Path) -> Nodes:
    """Seconds of each node of this project's pipeline."""
    from pipeline.experiment import Experiment
    from pipeline.local_run import pipeline_root, run_experiment

    data = {**values["data"], "path": str(logs / "day=*" / "*.csv")}
    experiment = Experiment.read({**values, "data": data})
    shutil.rmtree(pipeline_root(experiment), ignore_errors=True)
    result = run_experiment(experiment)
    return [(node.node_id, node.seconds) for node in result.nodes]


def _ratios(results: dict[str, dict]) -> dict[str, float]:
    """Stock seconds over ours, per kind of work and in all; empty where one side is missing."""
    if len(results) < 2:
        return {}
    sums = {side: _sums(result["nodes"]) for side, result in results.items()}
    ratios = {
        work: sums["stock"][work] / sums["ours"][work]
        for work in sums["stock"]
        if sums["ours"][work] and sums["stock"][work]
    }
    walls = [results[side]["wall_seconds"] for side in ("stock", "ours")]
    return {**ratios, "total": walls[0] / walls[1]}


def _sums(nodes: Nodes) -> dict[str, float]:
    """Seconds per kind of work; nodes that only one side has (report, …) under their own name."""
    sums = {work: 0.0 for work, _ in WORK}
    for node_id, seconds in nodes:
        work = next((work for work, node_ids in WORK if node_id in node_ids), node_id)
        sums[work] = sums.get(work, 0.0) + seconds
    return sums


def _table(results: dict[str, dict], rows: int) -> Table:
    """One line per kind of work: seconds of each side, and how many times faster ours is."""
    sums = {side: _sums(result["nodes"]) for side, result in results.items()}
    ratios = _ratios(results)
    table = Table("", title=f"Seconds at {rows:,} rows")
    for side in results:
        table.add_column(side, justify="right")
    table.add_column("stock / ours", justify="right")
    for work in dict.fromkeys(work for side in sums.values() for work in side):
        cells = [f"{side[work]:.1f}" if side.get(work) else "–" for side in sums.values()]
        table.add_row(work, *cells, f"{ratios[work]:.1f}×" if work in ratios else "")
    table.add_section()
    cells = [f"{result['wall_seconds']:.1f}" for result in results.values()]
    table.add_row(
        "All, with imports", *cells, f"{ratios['total']:.1f}×" if "total" in ratios else ""
    )
    return table


if __name__ == "__main__":
    main()
