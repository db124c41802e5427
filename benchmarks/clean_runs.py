"""How long a cleaning takes, and how much it gives back: ``python -m benchmarks.clean_runs``.

Makes runs that were never run (see `benchmarks.fabricated_runs`), and cleans them: first as a dry
run, then for good, then once more with nothing to do.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.fabricated_runs import FabricatedRuns
from mtlx.pipeline.cleaning.clean import clean
from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.run.run_folder import METADATA_FILE
from mtlx.pipeline.run.workplace import Workplace

_FILE = Path(__file__).parent.parent / "configs/default.yaml"
#: Bytes of the large outputs; the others have 100.
_SIZES = {"examples": 100_000, "transformed_examples": 100_000, "model": 50_000}


def main() -> None:
    """Prints seconds and bytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--keep", type=int, default=14)
    parser.add_argument("--keep-versions", type=int, default=None)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        overrides = [
            f"run.pipeline_root={folder / 'root'}",
            f"serving.push_to={folder / 'serving'}",
        ]
        place = Workplace.here(read_experiment(_FILE, overrides))
        made = FabricatedRuns(folder / "root", place.experiment.name, folder / "serving", _SIZES)
        started = time.monotonic()
        for span in range(arguments.runs):
            made.run(span)
        _say(f"{arguments.runs} runs made", started, folder)
        for words, dry_run in (("dry run", True), ("cleaned", False), ("cleaned again", False)):
            started = time.monotonic()
            plan = clean(place, arguments.keep, arguments.keep_versions, dry_run)
            size = sum(removal.size for removal in plan.removals)
            _say(f"{words}: {len(plan.removals):,} folders, {size / 1e6:.1f} MB", started, folder)
    finally:
        shutil.rmtree(folder)


def _say(words: str, started: float, folder: Path) -> None:
    seconds = time.monotonic() - started
    sizes = {
        name: sum(file.stat().st_size for file in (folder / name).rglob("*") if file.is_file())
        for name in ("root", "serving")
    }
    store = (folder / "root" / METADATA_FILE).stat().st_size
    print(
        f"{words:<46} {seconds:6.1f} s; root {sizes['root'] / 1e6:.1f} MB, of these metadata "
        f"{store / 1e6:.1f} MB; served {sizes['serving'] / 1e6:.1f} MB",
        flush=True,
    )


if __name__ == "__main__":
    main()
