"""Day three of a warm-started daily pipeline, killed once at every node, and gone on with.

    python -m benchmarks.day_kills                   # about forty runs of some 15 s
    python -m benchmarks.day_kills --nodes Trainer Pusher

Simulates days and runs configs/daily.yaml, warm-started, until two days are served. Then day three
is run whole, for comparison, and once for each of its nodes: from what was there before the day, a
process is killed (SIGKILL, with all its children) at a random moment of the node, and the same
command is run again. Printed are how many nodes the second run took from the first, and what
differs from the day that nobody killed: metrics, verdict, or what is served.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.day_cost import ANY_MODEL, DAILY, WARM

#: Days in the window, so that a model is there after the first two runs.
_WINDOW = 2
_DAY_THREE = f"2024-01-{_WINDOW + 3:02}"


class Days:
    """The folder of a daily pipeline, with a copy of what it held before day three.

    Args:
        folder: everything lies in it.
        rows: a day.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        self._folder, self._kept = folder / "work", folder / "before"
        self._folder.mkdir()
        self._mtlx(
            "simulate", "--days", str(_WINDOW + 3), "--rows-per-day", str(rows),
            "--out", str(self._folder / "var/daily"),
        ).wait()  # fmt: skip
        for day in (1, 2):
            run = self.run(f"2024-01-{_WINDOW + day:02}", "training.epochs=2")
            told, _ = run.communicate()
            if run.returncode:
                raise SystemExit(f"day {day} ended with {run.returncode}:\n{told}")
        shutil.copytree(self._folder, self._kept, symlinks=True)

    def before_day_three(self) -> None:
        """Puts everything back; paths stay, which the metadata store has."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._kept, self._folder, symlinks=True)

    def run(self, span: str, *settings: str) -> subprocess.Popen[str]:
        """Starts the run of a day."""
        own = [
            f"data.window.train={_WINDOW}",
            f"data.span={span}",
            f"run.pipeline_root={self._folder}/root",
            f"serving.push_to={self._folder}/serving",
            f"gate.thresholds={ANY_MODEL}",
            WARM,
            *settings,
        ]
        sets = [text for setting in own for text in ("--set", setting)]
        return self._mtlx("run", str(DAILY), "--data", str(self._folder), *sets)

    @property
    def _log(self) -> Path:
        return self._folder / "log.txt"

    def _mtlx(self, *arguments: str) -> subprocess.Popen[str]:
        with self._log.open("a", encoding="utf-8") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "mtlx.pipeline.command_line", *arguments],
                stdout=subprocess.PIPE if arguments[0] == "run" else log,
                stderr=log,
                text=True,
                env={**os.environ, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
            )

    def outcome(self) -> dict[str, Any]:
        """What the last run came to, without times and numbers of runs."""
        run = json.loads((self._folder / "root/runs/latest/run.json").read_text(encoding="utf-8"))
        versions = sorted(path.name for path in (self._folder / "serving").iterdir())
        weights = [
            path.stat().st_size for path in sorted((self._folder / "serving").glob("*/variables/*"))
        ]
        return {
            "outcome": run["outcome"],
            "metrics": run["metrics"],
            "comparisons": run["comparisons"],
            "spans": run["window"],
            "versions": len(versions),
            "sizes": weights,
        }

    def nodes(self) -> dict[str, tuple[str, float]]:
        """Of the last run, in their order: state and seconds."""
        run = json.loads((self._folder / "root/runs/latest/run.json").read_text(encoding="utf-8"))
        return {n["node_id"]: (n["state"], n.get("seconds") or 0.0) for n in run["nodes"]}


def _killed_at(process: subprocess.Popen[str], node: str, after: float) -> str:
    """Kills a run, `after` seconds in a node; says how it ended."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(f"● {node} "):
            break
    time.sleep(after)
    try:
        family = [
            *psutil.Process(process.pid).children(recursive=True),
            psutil.Process(process.pid),
        ]
    except psutil.NoSuchProcess:
        family = []
    for one in family:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue  # It has ended meanwhile.
    process.stdout.close()
    return "killed" if process.wait() == -signal.SIGKILL else "had ended"


def main() -> None:
    """Prints the table; ends with 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=3_000, help="a day (default: %(default)s)")
    parser.add_argument("--nodes", nargs="*", help="all by default")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    differing = 0
    with tempfile.TemporaryDirectory() as folder:
        days = Days(Path(folder), arguments.rows)
        started = time.monotonic()
        days.run(_DAY_THREE).communicate()
        whole, expected = time.monotonic() - started, days.outcome()
        nodes = days.nodes()
        print(f"Day three, not killed: {expected['outcome']}, {whole:.0f} s")
        print("| killed at | after, s | then | seconds | nodes from before | differs |")
        print("|---|---|---|---|---|---|")
        for node in arguments.nodes or nodes:
            days.before_day_three()
            after = moments.uniform(0, nodes[node][1])
            end = _killed_at(days.run(_DAY_THREE), node, after)
            started = time.monotonic()
            again = days.run(_DAY_THREE)
            again.communicate()
            seconds, found = time.monotonic() - started, days.outcome()
            differs = [key for key, value in expected.items() if found[key] != value]
            differing += bool(differs)
            cached = sum(state == "cached" for state, _ in days.nodes().values())
            print(
                f"| {node} | {after:.2f} ({end}) | exit code {again.returncode} | {seconds:.0f} | "
                f"{cached} of {len(nodes)} | {', '.join(differs) or 'nothing'} |",
                flush=True,
            )
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
