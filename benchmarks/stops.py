"""How long a run takes to end after Ctrl-C, node by node: ``python -m benchmarks.stops``.

One run after the other is sent a signal a while after a node has begun; the next goes on from what
is finished. Printed are the seconds from the signal to the end of the process, its exit code, and
how many of its children were left. The last run is left alone.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import yaml

_NODES = ("LogExampleGen", "StatisticsGen", "Transform", "Trainer", "SliceEvaluation")
_WORKERS = "run.beam_pipeline_args=[--direct_running_mode=multi_processing, --direct_num_workers=2]"


def _experiment(folder: Path, rows: int) -> Path:
    """The default experiment with one model, on simulated logs."""
    from mtlx.pipeline.simulation.settings import SimulationSettings
    from mtlx.pipeline.simulation.simulator import simulate

    simulate(SimulationSettings.read({"rows": rows, "seed": 1}), folder / "simulated")
    source = Path(__file__).parents[1] / "configs" / "default.yaml"
    values = yaml.safe_load(source.read_text(encoding="utf-8"))
    values["data"]["path"] = str(folder / "simulated/logs/day=*/*.csv")
    values["model"] = {"network": "mmoe", "embedding_size": 8}
    values["gate"] = {"thresholds": [{"rule": "auc", "minimum": 0.3, "bound": "point"}]}
    values["serving"] = {"push_to": str(folder / "serving")}
    values["run"] = {"pipeline_root": str(folder / "root")}
    values["report"] = {}
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def _start(path: Path, overrides: Sequence[str]) -> subprocess.Popen[str]:
    sets = [text for override in overrides for text in ("--set", override)]
    return subprocess.Popen(
        [sys.executable, "-m", "mtlx.pipeline.command_line", "run", str(path), *sets],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def _stop_at(
    node: str, number: signal.Signals, after: float, path: Path, overrides: Sequence[str]
) -> str:
    """A row of the table."""
    process = _start(path, overrides)
    for line in process.stdout:
        if line.startswith(f"● {node} "):
            break
    time.sleep(after)
    children = psutil.Process(process.pid).children(recursive=True)
    while overrides and not children:  # the workers are about to start
        time.sleep(0.01)
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    started = time.monotonic()
    code = process.wait()
    seconds = time.monotonic() - started
    process.stdout.close()
    # Killed processes take a moment to die.
    left = len(psutil.wait_procs(children, timeout=5)[1])
    where = node + (" with Beam workers" if overrides else "")
    return f"| {where} | {number.name} | {seconds:.1f} s | {code} | {left} of {len(children)} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000, help="of the logs; default: 200000")
    parser.add_argument("--after", type=float, default=3.0, help="seconds in the node; default: 3")
    arguments = parser.parse_args()
    print("| node | signal | ended after | exit code | children left |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = _experiment(Path(folder), arguments.rows)
        stops = [("LogExampleGen", [_WORKERS], signal.SIGINT)]
        stops += [("LogExampleGen", [_WORKERS], signal.SIGTERM)]
        stops += [(node, [], signal.SIGINT) for node in _NODES]
        stops += [("SliceEvaluation", [], signal.SIGTERM)]
        for node, overrides, number in stops:
            print(_stop_at(node, number, arguments.after, path, overrides), flush=True)
        last = _start(path, [])
        output, _ = last.communicate()
        print(f"\nThe run after them ended with code {last.returncode}.")
        if last.returncode not in (0, 3):
            print(output)


if __name__ == "__main__":
    main()
