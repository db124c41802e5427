"""Whether systems still reach what is written of them: measures a part anew, and compares.

    python -m benchmarks.check_expected                        # lists the parts
    python -m benchmarks.check_expected small                  # seconds; runs in the suite
    python -m benchmarks.check_expected planted
    python -m benchmarks.check_expected census_income --data DIR
    python -m benchmarks.check_expected presets --systems mmoe dtn    # minutes each
    python -m benchmarks.check_expected precision --data DIR          # bfloat16 less float32

`benchmarks/expected.yaml` has the parts: of each the seeds, and per system and place the expected
mean over them and how far a new one may be off. The exit code is 1 where any is beyond.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from mtlx.transform.config.names import suggest

EXPECTED = Path(__file__).parent / "expected.yaml"
#: Experiments that are trained in both precisions, and what is set for it.
BOTH_PRECISIONS: dict[str, tuple[str, ...]] = {
    "default": (),
    "census_income": (),
    "movielens_random": ("--set", "training.epochs=4"),
}


@dataclass(frozen=True)
class Expected:
    """A number that is to be found again.

    Attributes:
        system: as its measurement calls it.
        place: of what: a planted log, or a task.
        value: mean AUC over the part's seeds, or a difference of two.
        tolerance: how far a new mean may be off, on either side.
    """

    system: str
    place: str
    value: float
    tolerance: float


@dataclass(frozen=True)
class Part:
    """Numbers that are measured together.

    Attributes:
        name: on the command line.
        measured_by: a key of `MEASURES`.
        source: where the numbers stand.
        seeds: of the trainings.
        numbers: that are expected.
    """

    name: str
    measured_by: str
    source: str
    seeds: tuple[int, ...]
    numbers: tuple[Expected, ...]


#: Means over the part's seeds by system and place.
Found = dict[tuple[str, str], float]


def read_parts(path: Path = EXPECTED) -> dict[str, Part]:
    """All parts by name.

    Raises:
        ValueError: a part has nothing to expect, or a tolerance that anything meets.
    """
    parts = {}
    for name, written in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        numbers = tuple(
            Expected(system, place, *map(float, pair))
            for system, places in written["expected"].items()
            for place, pair in places.items()
        )
        for number in numbers:
            if not 0 < number.tolerance < 0.1:
                raise ValueError(
                    f"{path}: {name}, {number.system}, {number.place}: a tolerance is above 0 and "
                    f"below 0.1. Received: {number.tolerance}"
                )
        if not numbers:
            raise ValueError(f"{path}: {name} expects nothing")
        seeds = tuple(written["seeds"])
        parts[name] = Part(name, written["measured_by"], written["source"], seeds, numbers)
    return parts


def missed(part: Part, found: Found) -> list[str]:
    """A sentence for each number that is beyond its tolerance, or was not measured.

    Args:
        part: what is expected.
        found: what was measured.
    """
    sentences = []
    for number in part.numbers:
        value = found.get((number.system, number.place))
        expected = f"{number.value:.4f} ± {number.tolerance:.4f} ({part.source})"
        if value is None or not np.isfinite(value):
            sentences.append(f"{number.system}, {number.place}: not measured, expected {expected}")
        elif abs(value - number.value) > number.tolerance:
            sentences.append(f"{number.system}, {number.place}: {value:.4f}, expected {expected}")
    return sentences


def _planted(part: Part, _: argparse.Namespace) -> Found:
    from benchmarks.planted_networks import learnt, models

    known = models()
    return {
        (number.system, number.place): float(
            np.mean([learnt(number.place, known[number.system][0], seed)[0] for seed in part.seeds])
        )
        for number in part.numbers
    }


def _presets(part: Part, arguments: argparse.Namespace) -> Found:
    systems = sorted({number.system for number in part.numbers})
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "presets.jsonl"
        seeds = map(str, part.seeds)
        _call("benchmarks.presets", *systems, "--seeds", *seeds, "--results", str(results))
        lines = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    by_place: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        for task, slices in line.get("auc", {}).items():
            by_place.setdefault((line["preset"], task), []).append(slices["overall"])
    return {place: float(np.mean(values)) for place, values in by_place.items()}


def _census_income(part: Part, arguments: argparse.Namespace) -> Found:
    if arguments.data is None:
        raise SystemExit("census_income needs --data, the folder that holds census-income-kdd/")
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "census_income.json"
        seeds = map(str, part.seeds)
        told = ("--data", arguments.data, "--seeds", *seeds, "--results", str(results))
        _call("benchmarks.census_income", *told)
        means = json.loads(results.read_text(encoding="utf-8"))
    return {(system, task): auc for system, own in means.items() for task, auc in own.items()}


def _precision(part: Part, arguments: argparse.Namespace) -> Found:
    """What bfloat16 adds to the mean AUC of float32."""
    import tensorflow as tf

    from mtlx.trainer.distribution.precision import fast_precision

    if fast_precision(tf.distribute.get_strategy()) != "bfloat16":
        raise SystemExit("precision needs a processor or card that multiplies in bfloat16")
    found = {}
    for system in dict.fromkeys(number.system for number in part.numbers):
        with tempfile.TemporaryDirectory() as folder:
            _call("mtlx.pipeline.command_line", *_both_precisions(system, part, arguments, folder))
            written = (Path(folder) / "comparison.json").read_text(encoding="utf-8")
        rows = {row["label"]: row["measured"] for row in json.loads(written)["rows"]}
        for place, measured in rows["bfloat16"].items():
            task, _, where = place.partition(", ")
            if where == "overall":
                found[system, task] = measured["value"] - rows["float32"][place]["value"]
    return found


def _both_precisions(
    system: str, part: Part, arguments: argparse.Namespace, folder: str
) -> list[str]:
    models = [f"{name}=file:training.precision={name}" for name in ("float32", "bfloat16")]
    told = ["compare", f"configs/{system}.yaml", "--models", ",".join(models)]
    told += ["--seeds", str(len(part.seeds)), "--out", folder, *BOTH_PRECISIONS[system]]
    return told if arguments.data is None else [*told, "--data", arguments.data]


def _call(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


MEASURES: dict[str, Callable[[Part, argparse.Namespace], Found]] = {
    "planted_networks": _planted,
    "presets": _presets,
    "census_income": _census_income,
    "precision": _precision,
}


def main(told: Sequence[str] | None = None, path: Path = EXPECTED) -> int:
    """Measures a part; returns the exit code.

    Args:
        told: arguments; those of the process if None.
        path: what is expected.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="?", help="lists them if not given")
    parser.add_argument("--systems", nargs="+", help="of the part; all if not given")
    parser.add_argument("--data", help="folder of the data set, where it is no simulated one")
    arguments = parser.parse_args(told)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parts = read_parts(path)
    if arguments.part is None:
        for part in parts.values():
            print(f"{part.name}: {len(part.numbers)} numbers of {part.source}")
        return 0
    if arguments.part not in parts:
        parser.error(f"unknown part {arguments.part!r}, {suggest(arguments.part, parts)}")
    part = parts[arguments.part]
    if arguments.systems:
        known = {number.system for number in part.numbers}
        for system in arguments.systems:
            if system not in known:
                parser.error(f"unknown system {system!r}, {suggest(system, known)}")
        chosen = tuple(one for one in part.numbers if one.system in arguments.systems)
        part = Part(part.name, part.measured_by, part.source, part.seeds, chosen)
    found = MEASURES[part.measured_by](part, arguments)
    for (system, place), value in sorted(found.items()):
        print(f"{system}, {place}: {value:.4f}")
    sentences = missed(part, found)
    for sentence in sentences:
        print(f"BEYOND: {sentence}")
    print(f"{len(part.numbers) - len(sentences)} of {len(part.numbers)} as expected")
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
