"""The table of all presets that `benchmarks.presets` has measured, as Markdown.

    python -m benchmarks.preset_table --out presets.md

A cell of AUC is the mean over seeds, in brackets the mean in each domain. RelaImp over MMoE is the
mean over seeds, each against the MMoE of the same seed on the same test rows. Its 95 % interval
knows both kinds of chance: that of the test users, by the paired interval of one seed, which does
not get narrower with seeds, since they share the rows; and that of training, by the spread of
seeds, which is pooled over all presets (three seeds of one preset say little about it).
"""

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.presets import REFERENCE, RESULTS

_Z = 1.959964


@dataclass(frozen=True)
class Gain:
    """RelaImp of a preset in one task, in percent.

    Attributes:
        mean: over seeds; None where a seed has none.
        row_variance: of the test users' chance.
        deviations: of the seeds from their mean.
    """

    mean: float | None
    row_variance: float
    deviations: tuple[float, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, help="write the table to this file")
    arguments = parser.parse_args()
    lines = [json.loads(line) for line in arguments.results.read_text("utf-8").splitlines()]
    text = "\n\n".join(_table(group) for group in _comparable(lines)) + "\n"
    print(text, end="")
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")


def _comparable(lines: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Lines of the same rows and epochs; only those stand in one table."""
    groups = defaultdict(list)
    for line in lines:
        groups[line["rows"], line["test_days"], line["epochs"]].append(line)
    return list(groups.values())


def _table(lines: list[dict[str, Any]]) -> str:
    failed = {line["preset"]: line["error"] for line in lines if "error" in line}
    by_preset = defaultdict(list)
    for line in lines:
        if "error" not in line:
            by_preset[line["preset"]].append(line)
    tasks = list(next(iter(by_preset.values()))[0]["auc"])
    gains = {
        (name, task): gain([line["relaimp"][task] for line in runs])
        for name, runs in by_preset.items()
        for task in tasks
    }
    spread = {
        task: pooled_variance([gains[name, task] for name in by_preset if name != REFERENCE])
        for task in tasks
    }
    head = ["preset", "seeds", "parameters", *tasks]
    head += [f"{task}: RelaImp over {REFERENCE}, %" for task in tasks] + ["CPU s"]
    rows = [head, ["---"] * len(head)]
    for name, runs in sorted(by_preset.items()):
        cells = [f"`{name}`", str(len(runs)), f"{runs[0]['parameters']:,}"]
        cells += [_auc_cell(runs, task) for task in tasks]
        if name == REFERENCE:
            cells += ["reference"] * len(tasks)
        else:
            cells += [_gain_cell(gains[name, task], spread[task], len(runs)) for task in tasks]
        rows.append([*cells, f"{np.median([run['cpu_seconds'] for run in runs]):.0f}"])
    rows += [[f"`{name}`", f"failed: {error}"] for name, error in failed.items()]
    first = lines[0]
    facts = f"{first['rows']:,} rows, the last {first['test_days']} of 8 days to test; "
    facts += f"{first['epochs']} epochs. Standard deviation of RelaImp between seeds: "
    facts += ", ".join(f"{task} {np.sqrt(value):.1f}" for task, value in spread.items()) + " %."
    return facts + "\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def gain(seeds: list[list[float | None]]) -> Gain:
    """What seeds' RelaImps and their 95 % intervals, ``[value, lower, upper]``, say together."""
    if any(bound is None for seed in seeds for bound in seed):
        return Gain(None, 0.0, ())
    values, lower, upper = np.transpose(np.asarray(seeds, float))
    row_variance = float(np.mean(((upper - lower) / (2 * _Z)) ** 2))
    return Gain(float(values.mean()), row_variance, tuple(values - values.mean()))


def pooled_variance(gains: list[Gain]) -> float:
    """Variance between the seeds of a preset, from all presets; 0 where none has two."""
    squares = sum(np.square(found.deviations).sum() for found in gains if found.mean is not None)
    freedom = sum(max(len(found.deviations) - 1, 0) for found in gains)
    return float(squares / freedom) if freedom else 0.0


def _auc_cell(runs: list[dict[str, Any]], task: str) -> str:
    def mean(place: str) -> str:
        found = [run["auc"][task][place] for run in runs]
        return "–" if None in found else f"{np.mean(found):.4f}"

    domains = [place for place in runs[0]["auc"][task] if place.startswith("domain=")]
    return f"{mean('overall')} ({' '.join(mean(place) for place in domains)})"


def _gain_cell(found: Gain, seed_variance: float, seeds: int) -> str:
    if found.mean is None:
        return "–"
    half = _Z * np.sqrt(found.row_variance + seed_variance / seeds)
    return f"{found.mean:+.1f} [{found.mean - half:+.1f}, {found.mean + half:+.1f}]"


if __name__ == "__main__":
    main()
