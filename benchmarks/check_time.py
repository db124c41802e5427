"""Seconds of `mtlx check` and of refusals of `mtlx run`, each in a process of its own.

    python -m benchmarks.check_time --rows 1000000

The experiment is the default one, on simulated logs; wall seconds beside processor seconds, since
the first of them depends on what else the machine does.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate

FOLDER = Path("var/benchmarks/check")
EXPERIMENT = Path(__file__).parents[1] / "configs" / "default.yaml"

#: What is measured: a command, and settings that make it refuse.
CASES = {
    "check, a sample of 200,000 rows": ("check",),
    "check, all rows": ("check", "--rows", "0"),
    "run refused: no such file": ("run", "--set", "data.path=none/*.csv"),
    "run refused: no such column": ("run", "--set", "features.price.column=prize"),
    "run refused: another format": ("run", "--set", "data.reader=parquet"),
    "run refused: no such domain": ("run", "--set", "gate.thresholds.2.slice=domain=serch"),
    "run refused: no model": ("run", "--set", "gate.given_model=none"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    logs = FOLDER.resolve() / f"{arguments.format}-{arguments.rows}"
    if not (logs / "best_auc.json").exists():
        settings = {"rows": arguments.rows, "format": arguments.format}
        simulate(SimulationSettings.read(settings), logs, overwrite=True)
    common = ["--set", f"data.path={logs}/logs/day=*/*.{arguments.format}"]
    common += ["--set", f"data.reader={arguments.format}"]
    common += ["--set", f"report.best_possible={logs / 'best_auc.json'}"]
    common += ["--set", f"data.split.train=['day=0[1-7]/*.{arguments.format}']"]
    common += ["--set", f"data.split.test=['day=08/*.{arguments.format}']"]
    table = Table("command", "exit code", "wall seconds", "processor seconds")
    for name, (command, *further) in CASES.items():
        measured = [
            _seconds([command, str(EXPERIMENT), *common, *further]) for _ in range(arguments.repeat)
        ]
        code, wall, processor = min(measured, key=lambda one: one[2])
        table.add_row(name, str(code), f"{wall:.1f}", f"{processor:.1f}")
    Console(width=100).print(table)


def _seconds(arguments: list[str]) -> tuple[int, float, float]:
    """Exit code, wall seconds and processor seconds of a command."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "mtlx.kubeflow.command_line", *arguments], capture_output=True
    )
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, wall, processor


if __name__ == "__main__":
    main()
