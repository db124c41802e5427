"""Every preset through the whole pipeline, on the same simulated log and seeds, beside MMoE.

    python -m benchmarks.presets                     # goes on where the last call stopped
    python -m benchmarks.presets dtn m3oe --seeds 1 2
    python -m benchmarks.presets --part 1/2 & python -m benchmarks.presets --part 2/2
    python -m benchmarks.preset_table                # the table of all that has been measured

Each preset and seed is a pipeline run, whose result is a line of `--results`. What stands there
already is not run again, so that a long table can be made in several sittings (`--minutes`);
delete the lines of a system that has changed. Ingestion, Transform and the reference model of a
seed come from the cache: a first run, which makes them, is not in the table.

The models have their papers' sizes, losses and methods, and one schedule for all: the table shows
that each works, what it costs and where it stands on this log, not which paper is right.
"""

import argparse
import json
import logging
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path("var/benchmarks/presets")
ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "measured" / "presets.jsonl"
DEFAULT = ROOT / "configs" / "default.yaml"
REFERENCE = "mmoe"


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    from mtlx.pipeline.simulation.settings import SimulationSettings
    from mtlx.pipeline.simulation.simulator import simulate

    logs = FOLDER.resolve() / f"logs-{arguments.rows}"
    simulate(SimulationSettings(rows=arguments.rows), logs, overwrite=True)
    import keras

    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + 60 * arguments.minutes
    made_ready: set[int] = set()
    for name, seed in _open_runs(arguments):
        if time.monotonic() > ends:
            print("time is up; the same command goes on from here")
            return
        if seed not in made_ready:
            _run("first", {"network": "single_task"}, logs, seed, arguments)
            made_ready.add(seed)
        record = _setting(arguments, seed) | {"preset": name}
        record |= _run(name, {"preset": name}, logs, seed, arguments)
        with arguments.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        print(_said(record), flush=True)
        keras.backend.clear_session()  # Else a training's graphs stay: some 400 MB each.


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", help="all by default")
    parser.add_argument("--rows", type=int, default=160_000, help="of eight days")
    parser.add_argument("--test-days", type=int, default=3, help="the last ones")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no run later")
    parser.add_argument("--part", default="1/1", help="2/3: the second third of the runs")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


def _setting(arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """What two lines must share to stand in one table, and the seed."""
    return {
        "rows": arguments.rows,
        "test_days": arguments.test_days,
        "epochs": arguments.epochs,
        "seed": seed,
    }


def _open_runs(arguments: argparse.Namespace) -> Iterator[tuple[str, int]]:
    """This part's runs that have no line yet, as preset and seed; all presets' first seed first."""
    from mtlx.pipeline.experiment.presets import preset_names

    part, parts = map(int, arguments.part.split("/"))
    done = []
    if arguments.results.exists():
        lines = arguments.results.read_text(encoding="utf-8").splitlines()
        done = [json.loads(line) for line in lines]
    for seed in arguments.seeds:
        wanted = _setting(arguments, seed)
        finished = {line["preset"] for line in done if wanted.items() <= line.items()}
        names = arguments.presets or preset_names()
        yield from ((name, seed) for name in names[part - 1 :: parts] if name not in finished)


def _run(
    name: str, model: dict[str, Any], logs: Path, seed: int, arguments: argparse.Namespace
) -> dict[str, Any]:
    """One pipeline run; a preset that fails is a line of the table, not the end of it."""
    from mtlx.components.slice_evaluation.results import load_results
    from mtlx.pipeline.experiment.experiment_file import read_experiment
    from mtlx.pipeline.run.local_run import run_experiment
    from mtlx.pipeline.run.run_result import RunFailed

    started = time.process_time()
    try:
        result = run_experiment(read_experiment(_experiment(name, model, logs, seed, arguments)))
    except RunFailed as error:
        logging.error("%s: %s", name, error)
        return {"error": str(error).splitlines()[0]}
    results = load_results(result.output("SliceEvaluation", "evaluation"))
    folder = Path(result.output("Trainer", "model_run"))
    history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
    comparisons = {task: results.comparison("reference", task) for task in results.tasks}
    return {
        "parameters": history["parameters"],
        "cpu_seconds": round(time.process_time() - started, 1),
        "revision": _revision(),
        "auc": {
            task: {
                metric.slice: metric.auc
                for metric in results.metrics
                if (metric.model, metric.task) == ("candidate", task)
            }
            for task in results.tasks
        },
        "relaimp": {
            task: [found.relaimp, found.relaimp_lower, found.relaimp_upper] if found else [None] * 3
            for task, found in comparisons.items()
        },
    }


def _revision() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()


def _experiment(
    name: str, model: dict[str, Any], logs: Path, seed: int, arguments: argparse.Namespace
) -> Path:
    values = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    first_test_day = 9 - arguments.test_days
    values["data"]["path"] = str(logs / "logs/day=*/*.csv")
    values["data"]["split"] |= {
        "train": [f"day=0[1-{first_test_day - 1}]/*.csv"],
        "test": [f"day=0[{first_test_day}-8]/*.csv"],
    }
    # Trees read one value of each feature; and what was measured before knew the position.
    del values["features"]["tags"], values["features"]["position"]["serve_as"]
    values["model"] = model
    # The same for all, so that the table compares systems; losses and methods are their own.
    values["training"] = {
        "epochs": arguments.epochs,
        "patience": None,
        "batch_size": 256,
        "learning_rate": 1e-3,
        "l2": 0.0,
        "weight_decay": 0.0,
        "seed": seed,
    }
    threshold = {"rule": "auc", "task": "click", "slice": "overall", "minimum": 0.0}
    values["gate"] = {
        "baseline": "reference",
        "reference": {"preset": REFERENCE},
        "thresholds": [threshold],
        "minimum_positives": 5,
    }
    values["evaluation"]["slices"] = [["domain"]]
    values["serving"] = {}
    values["report"] = {}
    # One root for all: what the presets share is made once. Parts that run beside each other
    # must not wait for each other's lock.
    part = arguments.part.replace("/", "-of-")
    values["run"] = {"pipeline_root": str(FOLDER.resolve() / f"root-{logs.name}-{part}")}
    path = FOLDER / f"{name}-{part}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def _said(record: dict[str, Any]) -> str:
    name = f"{record['preset']}, seed {record['seed']}"
    if "error" in record:
        return f"{name}: {record['error']}"
    aucs = ", ".join(f"{task} {slices['overall']:.4f}" for task, slices in record["auc"].items())
    return f"{name}: {aucs}; {record['cpu_seconds']:.0f} s of processor time"


if __name__ == "__main__":
    main()
