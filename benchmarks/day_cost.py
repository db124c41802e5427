"""What a day costs, node by node: trained from the start, and begun with yesterday's model.

    python -m benchmarks.day_cost --rows 100000

Simulates days and runs configs/daily.yaml on them: once to have a blessed model, then a day on the
whole window, then the next one with `training.warm_start: incremental`, each in a process of its
own that reads one new day. Seconds on the wall, and of the processors in all processes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

DAILY = Path(__file__).parents[1] / "configs/daily.yaml"
#: Few rows would not do for what the daily experiment asks of a model.
ANY_MODEL = "[{rule: auc, task: click, slice: overall, minimum: 0.0}]"
FULL, WARM = "training.warm_start=null", "training.warm_start=incremental"


def main() -> None:
    """Prints a table."""
    arguments = _arguments()
    if arguments.run:
        _run(arguments.run)
        return
    with tempfile.TemporaryDirectory() as place:
        folder, window = Path(place), arguments.window
        _mtlx(
            "simulate", "--days", str(window + 3), "--rows-per-day", str(arguments.rows),
            "--out", str(folder / "var/daily"),
        )  # fmt: skip
        settings = [
            f"data.window.train={window}",
            f"run.pipeline_root={folder}/root",
            f"serving.push_to={folder}/serving",
            f"gate.thresholds={ANY_MODEL}",
        ]
        day = "2024-01-{:02}".format
        _day(folder, day(window + 1), *settings, FULL, "training.epochs=1")
        full = _day(folder, day(window + 2), *settings, FULL)
        warm = _day(folder, day(window + 3), *settings, WARM)
    Console(width=100).print(_table(full, warm))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="a day (default: %(default)s)")
    parser.add_argument("--window", type=int, default=7, help="days (default: %(default)s)")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    return parser.parse_args()


def _mtlx(*arguments: str) -> None:
    command = [sys.executable, "-m", "mtlx.pipeline.command_line", *arguments]
    subprocess.run(command, check=True)


def _day(folder: Path, span: str, *settings: str) -> dict:
    """Runs a day in a process of its own."""
    out = folder / "day.json"
    given = {"overrides": settings, "data": str(folder), "span": span, "out": str(out)}
    started, before = time.monotonic(), _processors()
    command = [sys.executable, "-m", "benchmarks.day_cost", "--run", json.dumps(given)]
    subprocess.run(command, check=True)
    nodes = json.loads(out.read_text(encoding="utf-8"))
    return {**nodes, "the process": (time.monotonic() - started, _processors() - before)}


def _run(given: str) -> None:
    """Runs a day here; writes seconds and processor seconds by node."""
    from mtlx.pipeline.experiment.checked_experiment import checked_experiment
    from mtlx.pipeline.run.local_run import run_experiment
    from mtlx.pipeline.run.run_result import NodeRun

    values = json.loads(given)
    overrides = [*values["overrides"], f"data.span={values['span']}"]
    experiment = checked_experiment(str(DAILY), overrides, values["data"])
    nodes, begun = {}, {}

    def note(node: NodeRun) -> None:
        if node.state == "running":
            begun[node.node_id] = _processors()
            return
        nodes[node.node_id] = (node.seconds, _processors() - begun[node.node_id])
        print(f"{node.node_id}: {node.state}, {node.seconds:.1f} s", flush=True)

    result = run_experiment(experiment, note)
    if not result.blessed:
        sys.exit(f"the model of {values['span']} was not blessed: see {result.folder}")
    Path(values["out"]).write_text(json.dumps(nodes), encoding="utf-8")


def _processors() -> float:
    """Seconds that processors spent on this process, and on those of its that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _table(full: dict, warm: dict) -> Table:
    table = Table("node", title=f"Seconds (of the processors), {os.cpu_count()} cores")
    for title in ("the whole window", "one day, warm", "warm / whole"):
        table.add_column(title, justify="right")
    # Without a warm start there is no node BaseModel.
    rows = {node: (full.get(node, (0.0, 0.0)), warm[node]) for node in warm}
    last = rows.pop("the process")
    sums = tuple(
        (sum(pair[side][0] for pair in rows.values()), sum(pair[side][1] for pair in rows.values()))
        for side in (0, 1)
    )
    shown = {node: pair for node, pair in rows.items() if pair[0][0] > 0.5}
    for name, pair in {**shown, "all nodes": sums, "the process": last}.items():
        cells = [f"{wall:.1f} ({processors:.1f})" for wall, processors in pair]
        table.add_row(name, *cells, f"{pair[1][0] / pair[0][0]:.2f}")
    return table


if __name__ == "__main__":
    main()
