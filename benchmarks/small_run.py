"""What a run costs beyond its rows: the default experiment on a thousand, node by node.

    python -m benchmarks.small_run
    python -m benchmarks.small_run --again      # the same command once more, served from the cache

A process of its own, as `mtlx run` starts one; seconds on the wall and of the processors. The gate
has thresholds that a thousand rows can decide, so that the serving check has something to do where
the candidate passes them.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

FOLDER = Path("var/benchmarks/small_run")
EXPERIMENT = Path(__file__).parents[1] / "configs" / "default.yaml"
#: Anything passes; a threshold against the anchor is asked for by the experiment's section on it.
GATE = (
    "[{rule: auc, task: click, slice: overall, minimum: 0.0}, "
    "{rule: relaimp, task: click, slice: overall, minimum: -1000.0, bound: upper, against: anchor}]"
)


def main() -> None:
    """Prints a table."""
    arguments = _arguments()
    if arguments.run:
        _run(arguments.run)
        return
    folder = FOLDER.resolve()
    logs = folder / f"logs-{arguments.rows}"
    if not (logs / "best_auc.json").exists():
        rows = ("--rows", str(arguments.rows), "--out", str(logs))
        command = [sys.executable, "-m", "mtlx.pipeline.command_line", "simulate", *rows]
        subprocess.run(command, check=True)
    root = folder / f"root-{arguments.rows}"
    if not arguments.again:
        shutil.rmtree(root, ignore_errors=True)
    Console(width=100).print(_table(_in_own_process(logs, root)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--again", action="store_true", help="keep what the last run has made")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_own_process(logs: Path, root: Path) -> dict:
    """Seconds on the wall and of the processors by what was done, in order."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place, "nodes.json")
        overrides = [
            f"data.path={logs}/logs/day=*/*.csv",
            f"report.best_possible={logs}/best_auc.json",
            f"run.pipeline_root={root / 'runs'}",
            f"serving.push_to={root / 'serving'}",
            f"gate.thresholds={GATE}",
            "gate.minimum_positives=1",
        ]
        given = json.dumps({"overrides": overrides, "out": str(out)})
        started, before = time.monotonic(), _processors()
        command = [sys.executable, "-m", "benchmarks.small_run", "--run", given]
        subprocess.run(command, check=True)
        whole = time.monotonic() - started, _processors() - before
        return {**json.loads(out.read_text(encoding="utf-8")), "the process": whole}


def _run(given: str) -> None:
    """Runs the experiment here, by the command itself."""
    from mtlx.pipeline import command_line
    from mtlx.pipeline.experiment.experiment import Experiment
    from mtlx.pipeline.run import local_run
    from mtlx.pipeline.run.run_result import NodeRun, RunResult

    begun, values = time.monotonic(), json.loads(given)
    found: dict[str, tuple[float, float]] = {}
    before: dict[str, float] = {}
    original = local_run.run_experiment

    def run_experiment(
        experiment: Experiment, on_node: Callable[[NodeRun], None], *further: Any
    ) -> RunResult:
        def note(node: NodeRun) -> None:
            if node.state == "running":
                if not found:
                    found["until the first node"] = time.monotonic() - begun, _processors()
                before[node.node_id] = _processors()
            else:
                name = node.node_id if node.state == "complete" else f"{node.node_id}, {node.state}"
                found[name] = node.seconds, _processors() - before[node.node_id]
            on_node(node)

        return original(experiment, note, *further)

    local_run.run_experiment = run_experiment
    overrides = [word for one in values["overrides"] for word in ("--set", one)]
    code = command_line.main(["run", str(EXPERIMENT), *overrides])
    # A thousand rows may give a model that is not blessed; the nodes have run all the same.
    if code not in (command_line.EXIT_OK, command_line.EXIT_NOT_BLESSED):
        sys.exit(code)
    Path(values["out"]).write_text(json.dumps(found), encoding="utf-8")


def _processors() -> float:
    """Seconds that processors spent on this process, and on those of its that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _table(found: dict) -> Table:
    table = Table("", title=f"{os.cpu_count()} cores")
    for title in ("on the wall, s", "of the processors, s"):
        table.add_column(title, justify="right")
    for name, seconds in found.items():
        table.add_row(name, *(f"{value:.2f}" for value in seconds))
    return table


if __name__ == "__main__":
    main()
