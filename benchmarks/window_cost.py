"""What the older spans of a window cost a day's run: ``python -m benchmarks.window_cost``.

Simulates days, lets runs see to the same window one after the other, and prints the seconds per
older span: where they are read, where nothing changed, and where the files were written anew.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.process.heavy_imports import heavy_imports
from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate

DEFAULT = Path(__file__).parents[1] / "configs/default.yaml"


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--rows", type=int, default=20_000, help="a day (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = {"rows": arguments.rows * arguments.days, "days": arguments.days}
        simulate(SimulationSettings.read(settings), Path(folder) / "logs")
        see = _runs(Path(folder), arguments.days)
        older = arguments.days - 1
        times = {"read": see("first")}
        times["unchanged"] = see("second")
        times["unchanged, once more"] = see("third")
        for file in (Path(folder) / "logs/logs").rglob("*.csv"):
            file.write_bytes(file.read_bytes())
        times["written anew, the same bytes"] = see("fourth")
    print(f"\n{older} older spans of {arguments.rows:,} rows\n")
    print("| the older spans are | s each |\n|---|---|")
    for what, seconds in times.items():
        print(f"| {what} | {seconds / older:.2f} |")


def _runs(folder: Path, days: int) -> Callable[[str], float]:
    """A function that sees to the window of a run, by the run's id, and gives the seconds."""
    values = yaml.safe_load(DEFAULT.read_text(encoding="utf-8"))
    values["data"] = {
        "path": str(folder / "logs/logs/day={SPAN:2}/*.csv"),
        "window": {"train": days - 1},
    }
    values.pop("kubeflow")
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    with heavy_imports():
        from tfx.dsl.compiler import compiler
        from tfx.orchestration import metadata

        from mtlx.pipeline.graph.graph import create_pipeline
        from mtlx.pipeline.run.window_run import see_to_window

    connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.sqlite"))
    graph = create_pipeline(read_experiment(path), str(folder / "root"), connection, True)
    compiled = compiler.Compiler().compile(graph)

    def see(run_id: str) -> float:
        time.sleep(2.5)  # Nothing is remembered of files that changed just now.
        started = time.monotonic()
        see_to_window(compiled, run_id)
        return time.monotonic() - started

    return see


if __name__ == "__main__":
    main()
