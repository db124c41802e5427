"""How long ``mtlx runs`` takes: fabricates the folders of many runs, and asks for all of them.

    python -m benchmarks.runs_history [--runs 300] [--html PATH]

Every run has the record of a run of the default experiment: 3 tasks, 12 slices, 3 models. Some
failed, some were stopped, one was killed. Prints the seconds of the whole command, process start
and imports included, for the table, for the page and for JSON, three times each, and behind each
the seconds of processor, which a busy machine changes less.
"""

import argparse
import datetime
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from mtlx.pipeline.run.record.run_journal import RunJournal
from mtlx.pipeline.run.record.run_summary import Outcome
from mtlx.pipeline.run.run_folder import RunFolder

TASKS = ("click", "add_to_cart", "purchase")
SLICES = ("overall", *(f"domain=domain_{number}" for number in range(11)))
NODES = {
    "LogExampleGen": 40.0, "StatisticsGen": 6.0, "SchemaGen": 0.2, "ExampleValidator": 0.3,
    "AnomalyGuard": 0.1, "Transform": 35.0, "Trainer": 120.0, "LatestBlessedModel": 0.1,
    "SliceEvaluation": 25.0, "RelaImpGate": 0.2, "Report": 0.8, "Pusher": 0.3,
}  # fmt: skip
EXPERIMENT = Path(__file__).parents[1] / "configs" / "default.yaml"


def fabricate(root: Path, runs: int, seed: int = 1) -> None:
    """Writes the folders of a year of days, oldest first."""
    rng = np.random.default_rng(seed)
    first = datetime.datetime(2026, 1, 1, 3).astimezone()
    for day in range(runs):
        begun = first + datetime.timedelta(days=day)
        run_id = begun.strftime("%Y%m%d-%H%M%S-%f")
        folder = RunFolder.of(root, run_id)
        folder.path.mkdir(parents=True)
        (folder.path / "log.txt").write_text("a line\n", encoding="utf-8")
        if day % 97 == 50:
            continue  # killed before it noted anything
        record = _record(rng, run_id, begun, day)
        if day % 41 == 20:
            record |= {"outcome": "failed", "at": "at Trainer", "message": "loss is no number"}
            record |= {"metrics": [], "comparisons": [], "pushed_to": None}
        elif day % 53 == 30:
            record |= {"outcome": "stopped", "at": "at Transform", "pushed_to": None}
            record |= {"metrics": [], "comparisons": []}
        journal = RunJournal(folder.path, run_id)
        journal.finished(record, record["outcome"] == Outcome.BLESSED.value)


def _record(
    rng: np.random.Generator, run_id: str, begun: datetime.datetime, day: int
) -> dict[str, object]:
    """What a run's record holds."""
    weekly = 0.004 * np.sin(2 * np.pi * day / 7)
    metrics, comparisons = [], []
    for task_number, task in enumerate(TASKS):
        auc = 0.68 + 0.03 * task_number + 0.02 * min(day / 60, 1) + weekly + rng.normal(0, 0.003)
        for name in SLICES:
            for model, less in (("candidate", 0.0), ("baseline", 0.004), ("reference", 0.01)):
                value = float(auc - less)
                metrics.append({
                    "slice": name, "model": model, "task": task, "key": [], "auc": value,
                    "auc_lower": value - 0.006, "auc_upper": value + 0.006, "log_loss": 0.3,
                    "calibration": 1.01, "positives": 1200, "examples": 9000,
                    "undefined_predictions": 0, "auc_reason": None,
                })  # fmt: skip
            for model, gain in (("baseline", 2.0), ("reference", 5.0)):
                gain += float(rng.normal(0, 0.8))
                comparisons.append({
                    "slice": name, "baseline": model, "task": task, "key": [], "relaimp": gain,
                    "relaimp_lower": gain - 1.5, "relaimp_upper": gain + 1.5,
                    "auc_difference": 0.004, "auc_difference_lower": 0.0,
                    "auc_difference_upper": 0.008, "relaimp_reason": None,
                })  # fmt: skip
    blessed = day % 9 != 4
    nodes = [
        {
            "node_id": node, "state": "complete", "rows": None, "malformed": None,
            "seconds": float(seconds * rng.uniform(0.9, 1.2)),
            "outputs": {"output": [f"/pipelines/default/artifacts/{node}/output/{day}"]},
            "bytes": int(2e6 * rng.uniform(0.9, 1.1)),
        }
        for node, seconds in NODES.items()
    ]  # fmt: skip
    span = (begun.date() - datetime.date(1970, 1, 1)).days
    return {
        "run_id": run_id, "outcome": "blessed" if blessed else "not blessed",
        "begun": begun.isoformat(timespec="seconds"),
        "seconds": sum(node["seconds"] for node in nodes), "name": "default", "model": "dtn",
        "spans": {"train": list(range(span - 7, span)), "test": [span], "days": True},
        "nodes": nodes, "blessed": blessed, "metrics": metrics, "comparisons": comparisons,
        "pushed_to": f"/serving/{day + 1}" if blessed else None,
    }  # fmt: skip


def _seconds(command: list[str]) -> tuple[float, float]:
    """Wall time and processor time of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints the seconds of the three forms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--html", help="keep the page here")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root"
        fabricate(root, arguments.runs)
        records = sum(path.stat().st_size for path in root.rglob("run.json"))
        print(f"{arguments.runs} runs, records of {records / 1e6:.1f} MB")
        page = arguments.html or str(Path(folder) / "runs.html")
        for form in ([], ["--html", page], ["--json"]):
            command = [sys.executable, "-m", "mtlx.pipeline.command_line", "runs", str(EXPERIMENT)]
            command += ["--set", f"run.pipeline_root={root}", *form]
            measured = [_seconds(command) for _ in range(3)]
            shown = ", ".join(f"{wall:.2f} ({busy:.2f})" for wall, busy in measured)
            print(f"mtlx runs {' '.join(form[:1])}: {shown} s")


if __name__ == "__main__":
    main()
