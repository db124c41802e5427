"""Runs the stock TFX chain and this project's on the same rows, and compares their seconds.

The stock chain is CsvExampleGen, StatisticsGen, SchemaGen, Transform, Trainer, Evaluator and
Pusher with default settings and stock analyzers and metrics. Both train the same model with the
same ``run_fn``. Behaviour sequences are left out on both sides, since CsvExampleGen has no lists.
Each side runs in a process of its own.
"""

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks import peak_memory
from benchmarks.chain_log import prepare_log
from mtlx.transform.contract.data_contract import DataContract

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


@dataclasses.dataclass(frozen=True)
class Node:
    """One node's run: seconds, and the most memory that the process held meanwhile, in MiB."""

    node_id: str
    seconds: float
    mebibytes: float


Nodes = list[Node]
#: One run of a side: its nodes and its seconds from the first import to the last node's end.
Run = dict[str, Any]


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    if arguments.side:
        _run_side(arguments.side, arguments.rows, Path(arguments.out))
        return
    sides = [arguments.only] if arguments.only else ["stock", "ours"]
    runs: dict[str, list[Run]] = {side: [] for side in sides}
    for number in range(arguments.repeat):
        for side in sides:
            runs[side].append(_in_own_process(side, arguments.rows))
            wall = runs[side][-1]["wall_seconds"]
            print(f"{side}, run {number + 1} of {arguments.repeat}: {wall:.1f} s", flush=True)
            if arguments.out:
                text = json.dumps({"rows": arguments.rows, **runs}, indent=2)
                Path(arguments.out).write_text(text + "\n", encoding="utf-8")
    Console(width=110).print(_table(runs, arguments.rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000, help="default: %(default)s")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each side")
    parser.add_argument("--only", choices=["stock", "ours"], help="run one of the two")
    parser.add_argument("--out", help="write the seconds to this JSON file")
    parser.add_argument("--side", choices=["stock", "ours"], help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_own_process(side: str, rows: int) -> Run:
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
    nodes_as_dicts = [dataclasses.asdict(node) for node in nodes]
    out.write_text(json.dumps({"nodes": nodes_as_dicts, "wall_seconds": seconds}), encoding="utf-8")


def run_stock(values: dict, contract: DataContract, logs: Path) -> Nodes:
    """Each node of the stock chain, launched one after the other."""
    from tfx.dsl.compiler import compiler

    from benchmarks.stock_chain import create_stock_pipeline
    from mtlx.components.slice_evaluation.settings import EvaluationSettings
    from mtlx.pipeline.run import node_run
    from mtlx.trainer.settings import ModelSettings, TrainingSettings

    folder = FOLDER.resolve() / "stock"
    shutil.rmtree(folder, ignore_errors=True)
    pipeline = compiler.Compiler().compile(
        create_stock_pipeline(
            logs,
            folder,
            contract,
            ModelSettings.read(values["model"]),
            TrainingSettings.read(values["training"]),
            EvaluationSettings.read(values["evaluation"]),
        )
    )
    node_run.bind_parameters(pipeline, "benchmark")
    nodes = []
    for node_id in node_run.node_ids(pipeline):
        peak_memory.reset()
        started = time.monotonic()
        node_run.run_node(pipeline, node_id)
        seconds = time.monotonic() - started
        nodes.append(Node(node_id, seconds, peak_memory.peak_mebibytes()))
    return nodes


def run_ours(values: dict, logs: Path) -> Nodes:
    """Each node of this project's pipeline."""
    from mtlx.pipeline.experiment.experiment import Experiment
    from mtlx.pipeline.run.local_run import pipeline_root, run_experiment
    from mtlx.pipeline.run.run_result import NodeRun

    data = {**values["data"], "path": str(logs / "day=*" / "*.csv")}
    # Without a file a relative root would start from the working directory.
    run = {**values["run"], "pipeline_root": str(FOLDER.resolve() / "ours")}
    experiment = Experiment.read({**values, "data": data, "run": run})
    shutil.rmtree(pipeline_root(experiment), ignore_errors=True)
    nodes: Nodes = []

    def on_node(node: NodeRun) -> None:
        if node.state == "running":
            peak_memory.reset()
        else:
            nodes.append(Node(node.node_id, node.seconds, peak_memory.peak_mebibytes()))

    run_experiment(experiment, on_node)
    return nodes


def _per_work(run: Run) -> dict[str, tuple[float, float]]:
    """Seconds and peak MiB per kind of work; a node that only one side has under its own name."""
    found = {work: (0.0, 0.0) for work, _ in WORK}
    for node in run["nodes"]:
        node_id = node["node_id"]
        work = next((work for work, node_ids in WORK if node_id in node_ids), node_id)
        seconds, mebibytes = found.get(work, (0.0, 0.0))
        found[work] = (seconds + node["seconds"], max(mebibytes, node["mebibytes"]))
    return found


def _spread(values: list[float], digits: int) -> str:
    """The median, and the range where there are several runs."""
    text = f"{statistics.median(values):,.{digits}f}"
    if len(values) > 1:
        text += f" [{min(values):,.{digits}f}–{max(values):,.{digits}f}]"
    return text


def _table(runs: dict[str, list[Run]], rows: int) -> Table:
    """One line per kind of work: seconds and memory of each side, and the ratio of the medians."""
    count = len(next(iter(runs.values())))
    table = Table("", title=f"{rows:,} rows, medians [range] of {count} runs")
    for side in runs:
        table.add_column(f"{side}, s", justify="right")
    table.add_column("stock / ours", justify="right")
    for side in runs:
        table.add_column(f"{side}, peak MiB", justify="right")
    works = {side: [_per_work(run) for run in found] for side, found in runs.items()}
    names = dict.fromkeys(name for found in works.values() for work in found for name in work)
    for name in names:
        cells = {
            side: [work[name] for work in found if name in work] for side, found in works.items()
        }
        seconds = {side: [cell[0] for cell in found] for side, found in cells.items()}
        memory = {side: [cell[1] for cell in found] for side, found in cells.items()}
        table.add_row(name, *_cells(seconds, 1), _ratio(seconds), *_cells(memory, 0))
    table.add_section()
    walls = {side: [run["wall_seconds"] for run in found] for side, found in runs.items()}
    table.add_row("All, with imports", *_cells(walls, 1), _ratio(walls), *[""] * len(runs))
    return table


def _cells(values: dict[str, list[float]], digits: int) -> list[str]:
    return [_spread(found, digits) if any(found) else "–" for found in values.values()]


def _ratio(seconds: dict[str, list[float]]) -> str:
    """Median of the stock side over the median of ours."""
    medians = [statistics.median(found) if found else 0.0 for found in seconds.values()]
    return f"{medians[0] / medians[1]:.1f}×" if len(medians) == 2 and all(medians) else ""


if __name__ == "__main__":
    main()
