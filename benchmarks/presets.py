"""Every preset once through the whole pipeline, on the same simulated log, beside MMoE.

    python -m benchmarks.presets --rows 40000 --out presets.md
    python -m benchmarks.presets dtn m3oe --rows 40000

Ingestion, Transform and the reference model come from the cache: a first run, which is not in the
table, makes them. The seconds are the processor's, over a run's training, evaluation, gate and
report, since a long table is seldom made on an idle machine. The models have their papers' sizes,
losses and methods, and one schedule for all: the table shows that each works, what it costs and
roughly where it stands on this log, not which paper is right.
"""

import argparse
import json
import logging
import os
import time
from pathlib import Path

import yaml

FOLDER = Path("var/benchmarks/presets")
DEFAULT = Path(__file__).parents[1] / "configs" / "default.yaml"


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_USE_LEGACY_KERAS"] = "0"
    from pipeline.presets import preset_names
    from pipeline.simulation.settings import SimulationSettings
    from pipeline.simulation.simulator import simulate

    logs = FOLDER.resolve() / f"logs-{arguments.rows}"
    if not logs.exists():
        simulate(SimulationSettings(rows=arguments.rows), logs)
    _run("first", {"network": "single_task"}, logs, arguments.epochs)
    lines: list[str] = []
    for name in arguments.presets or preset_names():
        lines.append(_line(name, _run(name, {"preset": name}, logs, arguments.epochs)))
        print(lines[-1], flush=True)
        if arguments.out:
            text = "\n".join([*_head(), *lines]) + "\n"
            Path(arguments.out).write_text(text, encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="*", help="all by default")
    parser.add_argument("--rows", type=int, default=40_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--out", help="write the table to this Markdown file")
    return parser.parse_args()


def _run(name: str, model: dict, logs: Path, epochs: int) -> dict:
    """One pipeline run; a preset that fails is a line of the table, not the end of it."""
    from components.slice_evaluation.results import load_results
    from pipeline.experiment_file import read_experiment
    from pipeline.local_run import RunFailed, run_experiment

    started = time.process_time()
    try:
        result = run_experiment(read_experiment(_experiment(name, model, logs, epochs)))
    except RunFailed as error:
        logging.error("%s: %s", name, error)
        return {"error": str(error).splitlines()[0]}
    results = load_results(result.output("SliceEvaluation", "evaluation"))
    history = json.loads(
        (Path(result.output("Trainer", "model_run")) / "history.json").read_text(encoding="utf-8")
    )
    return {
        "results": results,
        "parameters": history["parameters"],
        "seconds": time.process_time() - started,
    }


def _experiment(name: str, model: dict, logs: Path, epochs: int) -> Path:
    values = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    values["data"]["path"] = str(logs / "logs/day=*/*.csv")
    values["model"] = model
    # The same for all, so that the table compares systems; losses and methods are their own.
    values["training"] = {
        "epochs": epochs,
        "patience": None,
        "batch_size": 256,
        "learning_rate": 3e-3,
        "l2": 0.0,
        "weight_decay": 0.0,
    }
    threshold = {"rule": "auc", "task": "click", "slice": "overall", "minimum": 0.0}
    values["gate"] = {
        "baseline": "reference",
        "reference": {"preset": "mmoe"},
        "thresholds": [threshold],
        "minimum_positives": 5,
    }
    values["evaluation"]["slices"] = [["domain"]]
    values["serving"] = {}
    values["report"] = {}
    # One root for all: what the presets share is made once.
    values["run"] = {"pipeline_root": str(FOLDER.resolve() / f"root-{logs.name}")}
    path = FOLDER / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return path


def _head() -> list[str]:
    columns = "| preset | parameters | click | add_to_cart | purchase |"
    columns += " RelaImp over MMoE, %: click [interval] / cart / purchase | CPU s |"
    return [columns, "|---|---|---|---|---|---|---|"]


def _line(name: str, run: dict) -> str:
    """A task's cell: AUC over all rows, then in each domain."""
    if "error" in run:
        return f"| `{name}` | failed: {run['error']} | | | | | |"
    results = run["results"]
    places = dict.fromkeys(m.slice for m in results.metrics if m.slice.startswith("domain="))

    def auc(task: str, place: str) -> str:
        metric = results.metric("candidate", task, place)
        return f"{metric.auc:.3f}" if metric and metric.auc is not None else "–"

    cells = []
    for task in results.tasks:
        per_domain = " ".join(auc(task, place) for place in places)
        cells.append(f"{auc(task, 'overall')} ({per_domain})")
    relaimps = []
    for task in results.tasks:
        found = results.comparison("reference", task, "overall")
        if found is None or found.relaimp is None:
            relaimps.append("–")
            continue
        text = f"{found.relaimp:+.1f}"
        if task == results.tasks[0]:
            text += f" [{found.relaimp_lower:+.1f}, {found.relaimp_upper:+.1f}]"
        relaimps.append(text)
    return (
        f"| `{name}` | {run['parameters']:,} | {' | '.join(cells)} | {' / '.join(relaimps)} "
        f"| {run['seconds']:.0f} |"
    )


if __name__ == "__main__":
    main()
