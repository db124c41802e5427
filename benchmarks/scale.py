"""The chain on up to twenty million rows: seconds and peak memory of every node, by cores.

    python -m benchmarks.scale --rows 100000 1000000 20000000
    python -m benchmarks.scale --rows 1000000 --cores 1 2
    python -m benchmarks.scale --rows 1000000 --beam multi_processing    # Beam's own workers

The experiment is that of benchmarks/chain.yaml with one epoch and without the cache of parsed
examples (training.cache: none), so that no node may hold the rows; the log is the simulator's,
eight days of two files, of more where they would have more than 125,000 rows. Every node runs in a
process of its own, whose imports are not counted; peak memory is that process's and its children's.
With fewer cores than the machine has, node and children are bound to so many.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks import peak_memory

EXPERIMENT = Path(__file__).with_name("chain.yaml")
FOLDER = Path("var/benchmarks/scale")
#: Nodes that read rows; the others are told as one line.
NODES = ("LogExampleGen", "StatisticsGen", "Transform", "Trainer", "SliceEvaluation")
#: Nodes that Beam spreads out, which is all but the training.
BEAM_NODES = tuple(node for node in NODES if node != "Trainer")
#: Of a file, where a day has more than two.
_ROWS = 125_000
#: What a node is told of, by its name in the JSON.
Measured = dict[str, dict[str, float]]


def main() -> None:
    """Prints a table per number of cores, and the ratio of the first to the others."""
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    if arguments.node:
        print(json.dumps(_run_node(Path(arguments.root), arguments.node, arguments.cores[0])))
        return
    console = Console(width=110)
    found: dict[int, dict[int, Measured]] = {}
    for rows in arguments.rows:
        logs = _logs(rows, arguments.format)
        for cores in arguments.cores:
            root = FOLDER.resolve() / "root"
            measured = dict(_measured(root, logs, arguments, cores, console))
            found.setdefault(cores, {})[rows] = measured
            shutil.rmtree(root)
            if arguments.out:
                text = json.dumps(found, indent=1) + "\n"
                Path(arguments.out).write_text(text, encoding="utf-8")
        if not arguments.keep:
            shutil.rmtree(logs)
    for cores, by_rows in found.items():
        console.print(_table(by_rows, f"{cores} cores, {arguments.format}"))
    first, *more = found
    for cores in more:
        console.print(_ratios(found[first], found[cores], f"seconds of {first} by {cores} cores"))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--cores", type=int, nargs="+", default=[os.cpu_count() or 1])
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--beam", choices=["multi_threading", "multi_processing"], help="its mode")
    parser.add_argument("--last", choices=NODES, default=NODES[-1], help="go no further than this")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    parser.add_argument("--out", help="write what was measured to this JSON file")
    parser.add_argument("--node", help=argparse.SUPPRESS)
    parser.add_argument("--root", help=argparse.SUPPRESS)
    return parser.parse_args()


def _logs(rows: int, form: str) -> Path:
    """Simulated logs of so many rows; made once."""
    from mtlx.pipeline.simulation.settings import SimulationSettings
    from mtlx.pipeline.simulation.simulator import simulate

    folder = FOLDER.resolve() / f"{form}-{rows}"
    settings = SimulationSettings(rows=rows, format=form, shards=max(2, rows // (8 * _ROWS)))
    simulate(settings, folder)
    # Nothing here reads the truth.
    shutil.rmtree(folder / "ground_truth", ignore_errors=True)
    return folder


def _measured(
    root: Path, logs: Path, arguments: argparse.Namespace, cores: int, console: Console
) -> Iterator[tuple[str, dict[str, float]]]:
    """Compiles the pipeline, and runs its nodes one by one, each in a process of its own."""
    values = yaml.safe_load(EXPERIMENT.read_text(encoding="utf-8"))
    form = arguments.format
    values["training"] |= {"epochs": 1, "cache": "none"}
    pattern = str(logs / "logs" / "day=*" / f"*.{form}")
    values["data"] |= {"reader": form, "path": pattern, "split": _split(form)}
    values["serving"]["push_to"] = str(root / "pushed")
    values["run"]["pipeline_root"] = str(root)
    if arguments.beam:
        values["run"]["beam_pipeline_args"] = [
            f"--direct_running_mode={arguments.beam}",
            f"--direct_num_workers={cores}",
        ]
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    (root / "experiment.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    for node in _compiled(root)[1]:
        command = [sys.executable, "-m", "benchmarks.scale", "--node", node, "--root", str(root)]
        log = root / f"{node}.log"
        with open(log, "w", encoding="utf-8") as errors:
            ran = subprocess.run(
                [*command, "--cores", str(cores)], stdout=subprocess.PIPE, stderr=errors, text=True
            )
        if ran.returncode:
            raise RuntimeError(f"{node} failed, see {log}")
        measured = json.loads(ran.stdout.splitlines()[-1])
        console.print(f"{cores} cores, {node}: {measured['seconds']:.1f} s")
        yield node, measured
        if node == arguments.last:
            return


def _split(form: str) -> dict[str, Any]:
    """Days 1 to 6 train, the seventh validates, the eighth tests."""
    return {
        "by": "file",
        "train": [f"day=0[1-6]/*.{form}"],
        "validation": [f"day=07/*.{form}"],
        "test": [f"day=08/*.{form}"],
    }


def _compiled(root: Path) -> tuple[Any, list[str]]:
    """The pipeline of a root's experiment, and its nodes in order."""
    from tfx.dsl.compiler import compiler
    from tfx.orchestration import metadata

    from mtlx.pipeline.experiment.experiment import Experiment
    from mtlx.pipeline.graph import graph
    from mtlx.pipeline.run import node_run

    values = yaml.safe_load((root / "experiment.yaml").read_text(encoding="utf-8"))
    connection = metadata.sqlite_metadata_connection_config(str(root / "metadata.sqlite"))
    pipeline = compiler.Compiler().compile(
        graph.create_pipeline(Experiment.read(values), str(root / "artifacts"), connection)
    )
    node_run.bind_parameters(pipeline, "scale")
    return pipeline, node_run.node_ids(pipeline)


def _run_node(root: Path, node: str, cores: int) -> dict[str, float]:
    """Runs a node here: seconds on the wall and of the processors, MiB before and at the peak."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    from mtlx.pipeline.run import node_run

    pipeline, _ = _compiled(root)
    peak_memory.reset()
    before, computed, started = peak_memory.peak_mebibytes(), _processor_seconds(), time.monotonic()
    node_run.run_node(pipeline, node)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "seconds": time.monotonic() - started,
        "processor_seconds": _processor_seconds() - computed,
        "mebibytes_before": before,
        "mebibytes": max(peak_memory.peak_mebibytes(), children),
    }


def _processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    mine, theirs = (
        resource.getrusage(one) for one in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime


def _table(by_rows: dict[int, Measured], title: str) -> Table:
    """A line per node: seconds, rows per second and peak MiB at every size."""
    table = Table("node", title=f"{title}: seconds / rows per second / peak MiB")
    for rows in by_rows:
        table.add_column(f"{rows:,} rows", justify="right")
    for node in _shared(by_rows):
        cells = []
        for rows, measured in by_rows.items():
            one = measured[node]
            rate = rows / one["seconds"]
            cells.append(f"{one['seconds']:.1f} / {rate:,.0f} / {one['mebibytes']:,.0f}")
        table.add_row(node, *cells)
    others = [
        sum(one["seconds"] for node, one in measured.items() if node not in NODES)
        for measured in by_rows.values()
    ]
    table.add_row("the others", *[f"{seconds:.1f}" for seconds in others])
    totals = [sum(one["seconds"] for one in measured.values()) for measured in by_rows.values()]
    table.add_section()
    cells = [
        f"{total:,.1f} / {rows / total:,.0f}" for rows, total in zip(by_rows, totals, strict=True)
    ]
    table.add_row("all nodes", *cells)
    return table


def _shared(by_rows: dict[int, Measured]) -> list[str]:
    """Nodes that have been run."""
    return [node for node in NODES if all(node in measured for measured in by_rows.values())]


def _ratios(fewer: dict[int, Measured], more: dict[int, Measured], title: str) -> Table:
    """How many times as long nodes take with the fewer cores: each, and Beam's together."""
    table = Table("node", title=title)
    for rows in fewer:
        table.add_column(f"{rows:,} rows", justify="right")
    own = [(node, (node,)) for node in _shared(fewer)]
    for name, nodes in [*own, ("all but Trainer", tuple(set(BEAM_NODES) & set(_shared(fewer))))]:
        cells = []
        for rows, measured in fewer.items():
            slow, fast = (
                sum(one[node]["seconds"] for node in nodes) for one in (measured, more[rows])
            )
            cells.append(f"{slow / fast:.2f}×")
        table.add_row(name, *cells)
    return table


if __name__ == "__main__":
    main()
