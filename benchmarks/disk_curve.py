"""What a daily pipeline holds on the disk, with and without a cleaning after every run.

    python -m benchmarks.disk_curve --days 30 --picture docs/disk.png

Simulates days and runs configs/daily.yaml day by day, warm-started, with `mtlx clean` behind each
run as a cron job would have it. What the disk would hold without it is what it holds, and all that
was removed so far.
"""

import argparse
import datetime
import gc
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from benchmarks.day_cost import ANY_MODEL, DAILY, WARM
from mtlx.components.relaimp_gate.verdict import Verdict
from mtlx.components.serving_check.serving_outcome import ServingOutcome
from mtlx.pipeline.cleaning.clean import clean
from mtlx.pipeline.command_line import main as mtlx
from mtlx.pipeline.experiment.checked_experiment import checked_experiment
from mtlx.pipeline.run.local_run import run_experiment
from mtlx.pipeline.run.run_folder import ARTIFACTS_FOLDER
from mtlx.pipeline.run.run_result import RunResult
from mtlx.pipeline.run.workplace import Workplace


@dataclass(frozen=True)
class Day:
    """Bytes after a day's run and cleaning.

    Attributes:
        span: the day's name.
        pipeline_root: artifacts, metadata store, records of runs.
        serving: the folder of pushed versions.
        removed: by all cleanings so far.
        parts: of the pipeline root, by node or other part.
    """

    span: str
    pipeline_root: int
    serving: int
    removed: int
    parts: dict[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """With cleanings."""
        return self.pipeline_root + self.serving

    @property
    def without(self) -> int:
        """Without any."""
        return self.kept + self.removed


def main() -> None:
    """Prints a line per day, and draws them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rows", type=int, default=5_000, help="a day (default: %(default)s)")
    parser.add_argument("--keep", type=int, default=7, help="runs (default: %(default)s)")
    parser.add_argument("--keep-versions", type=int, default=7, help="default: %(default)s")
    parser.add_argument("--picture", type=Path, help="PNG file")
    parser.add_argument("--folder", type=Path, help="is kept, and gone on with by another call")
    arguments = parser.parse_args()
    if arguments.folder:
        days = _measure(arguments.folder.absolute(), arguments)
    else:
        with tempfile.TemporaryDirectory() as folder:
            days = _measure(Path(folder), arguments)
    for day in days:
        print(
            f"{day.span}: {day.kept / 1e6:.1f} MB, of which {day.serving / 1e6:.1f} serve; "
            f"without cleaning {day.without / 1e6:.1f}"
        )
    full = 2 * arguments.keep
    if len(days) > full + 1:
        _print_growth(days, full)
    if arguments.picture:
        _draw(days, arguments.keep, arguments.picture)


def _measure(folder: Path, arguments: argparse.Namespace) -> list[Day]:
    file = folder / "days.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    days = [Day(**json.loads(line)) for line in lines]
    # Seven days before the first one that is tested on fill the window.
    last = 7 + arguments.days
    logs = str(folder / "var/daily")
    mtlx(["simulate", "--days", str(last), "--rows-per-day", str(arguments.rows), "--out", logs])
    root, serving = folder / "root", folder / "serving"
    settings = [
        f"run.pipeline_root={root}",
        f"serving.push_to={serving}",
        f"gate.thresholds={ANY_MODEL}",
        WARM,
    ]
    removed = days[-1].removed if days else 0
    for number in range(7 + len(days), last):
        span = str(datetime.date(2024, 1, 1) + datetime.timedelta(days=number))
        overrides = [*settings, f"data.span={span}"]
        experiment = checked_experiment(str(DAILY), overrides, str(folder))
        result = run_experiment(experiment)
        if not result.pushed_to:
            # One of a year's days may well be refused; the next one goes on from what serves.
            print(f"{span}: not pushed: {_reasons(result)}", flush=True)
        place = Workplace.here(experiment)
        before = _size(root) + _size(serving)
        clean(place, arguments.keep, arguments.keep_versions, dry_run=False)
        day = Day(span, _size(root), _size(serving), removed)
        removed += before - day.kept
        parts = {name: _size(path) for name, path in _parts(root).items()}
        days.append(Day(span, day.pipeline_root, day.serving, removed, parts))
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(days[-1])) + "\n")
        print(f"{span}: {before / 1e6:.1f} to {day.kept / 1e6:.1f} MB", flush=True)
        keras.backend.clear_session()
        gc.collect()
    return days


def _reasons(result: RunResult) -> str:
    """What the gate, or else the serving check, said."""
    checks = Verdict.of_blessing(result.blessing).checks
    failed = [check.message for check in checks if not check.passed]
    served = ServingOutcome.load(result.infra_blessing) if result.infra_blessing else None
    return "; ".join([*failed, *(served.problems if served else [])])


def _parts(root: Path) -> dict[str, Path]:
    """Of a pipeline root what lies right below it, and below its artifacts."""
    paths = [*root.iterdir(), *(root / ARTIFACTS_FOLDER).iterdir()]
    return {path.name: path for path in paths if path.name != ARTIFACTS_FOLDER}


def _print_growth(days: list[Day], since: int) -> None:
    """Prints what each part adds a day, once the windows are full: in kB, the most first."""
    first, last = days[since], days[-1]
    names = {*first.parts, *last.parts}
    before, after = ({**day.parts, "serving": day.serving} for day in (first, last))
    grown = {n: after.get(n, 0) - before.get(n, 0) for n in {*names, "serving"}}
    for name in sorted(grown, key=lambda one: -abs(grown[one])):
        a_day = grown[name] / (len(days) - 1 - since) / 1e3
        print(f"{name}: {after.get(name, 0) / 1e6:.2f} MB, {a_day:+.1f} kB a day")


def _size(folder: Path) -> int:
    """Bytes of a file, or of all below a folder."""
    if not folder.is_dir():
        return os.lstat(folder).st_size
    return sum(
        os.lstat(os.path.join(here, name)).st_size
        for here, _, names in os.walk(folder)
        for name in names
    )


def _draw(days: list[Day], keep: int, picture: Path) -> None:
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = figure.subplots()
    numbers = range(1, len(days) + 1)
    axes.plot(numbers, [day.without / 1e6 for day in days], "--", label="never cleaned")
    axes.plot(numbers, [day.kept / 1e6 for day in days], label=f"clean --keep {keep} every day")
    axes.fill_between(numbers, [day.serving / 1e6 for day in days], alpha=0.3, label="serving")
    axes.set_xlabel("day")
    axes.set_ylabel("MB on the disk")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main()
