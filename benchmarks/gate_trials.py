"""How often the gate errs by chance: A/A trials, in which no model is better than another.

    python -m benchmarks.gate_trials                       # simulated scorers, some minutes
    python -m benchmarks.gate_trials --seeds 7 --loss 0.3  # a candidate that is worse in one domain

Two thousand test splits are drawn on which three equally good models (candidate, baseline, anchor)
score three tasks in three domains (`benchmarks.equal_models`), and every split is evaluated and
judged by the gate's own code. Three gates judge the same splits: the thresholds of the default
experiment; the same with every minimum at 0, where an equal model lies on the edge of each; and one
that asks for a proven gain everywhere. Each decides check by check, and with `gate.error_rate`.

The same of whole trainings: `python -m benchmarks.retrained_pairs`.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.equal_models import CONFIDENCE, EqualModels, contract, evaluations
from mtlx.components.relaimp_gate.judge import judge
from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.relaimp_gate.verdict import Check, Verdict
from mtlx.components.slice_evaluation.intervals.confidence_curve import ConfidenceCurve
from mtlx.components.slice_evaluation.results import SliceResults

ERROR_RATE = 0.05
#: One-sided levels at which bounds are held against the truth: that of a 95 % interval, and about
#: that of the first step of Holm's procedure with 15 checks.
LEVELS = ((1 - CONFIDENCE) / 2, ERROR_RATE / 15)
#: Splits that are drawn and evaluated at once.
_CHUNK = 50


def _relaimp(minimum: float, bound: str, **keys: str) -> dict[str, Any]:
    return {"rule": "relaimp", "minimum": minimum, "bound": bound, **keys}


def _upper(overall: float, domains: float, anchor: float) -> list[dict[str, Any]]:
    return [
        _relaimp(overall, "upper", slice="overall"),
        _relaimp(domains, "upper", slice="domain=*"),
        _relaimp(anchor, "upper", slice="overall", against="anchor"),
    ]


#: Thresholds by the name of a gate.
GATES = {
    "as the default experiment": [_relaimp(-1.5, "lower", task="click"), *_upper(0.0, -0.5, -1.0)],
    "every minimum at 0": _upper(0.0, 0.0, 0.0),
    "a proven gain in all": [
        _relaimp(0.0, "lower", slice="overall"),
        _relaimp(0.0, "lower", slice="domain=*"),
    ],
}


def gate(thresholds: Sequence[dict[str, Any]], error_rate: float | None) -> GateSettings:
    """Settings of a gate of such thresholds, with an anchor where one of them names it."""
    anchored = any(threshold.get("against") == "anchor" for threshold in thresholds)
    anchor = {"last": 10} if anchored else None
    rate = {} if error_rate is None else {"error_rate": error_rate}
    return GateSettings.read({"thresholds": list(thresholds), "anchor": anchor, **rate})


@dataclass
class Shares:
    """What became of the checks of one gate, over trials.

    Attributes:
        trials: so many verdicts.
        held_back: verdicts in which at least one check that errs by blocking does block.
        passed: verdicts in which all checks are met.
        blocks: by a check's name, how often it blocks.
        errs_by: by a check's name, how chance makes it err, where its trials were decidable.
        undecidable: checks without a p-value, of all trials.
    """

    trials: int = 0
    held_back: int = 0
    passed: int = 0
    blocks: dict[str, int] = field(default_factory=dict)
    errs_by: dict[str, str] = field(default_factory=dict)
    undecidable: int = 0

    def add(self, verdict: Verdict) -> None:
        """Counts a verdict."""
        self.trials += 1
        self.passed += verdict.blessed
        self.held_back += any(c.errs_by == "blocking" and not c.passed for c in verdict.checks)
        for check in verdict.checks:
            name = check_name(check)
            self.blocks[name] = self.blocks.get(name, 0) + (not check.passed)
            self.undecidable += check.p_value is None
            if check.errs_by is not None:
                self.errs_by[name] = check.errs_by

    def errors(self, errs_by: str) -> np.ndarray:
        """How often each check that errs by blocking blocks, or by passing passes, in percent."""
        names = [name for name, kind in self.errs_by.items() if kind == errs_by]
        blocked = 100 * np.array([self.blocks[name] for name in names]) / self.trials
        return blocked if errs_by == "blocking" else 100 - blocked


def check_name(check: Check) -> str:
    """What tells a check from the others of its gate."""
    against = f", over the {check.against}" if check.against != "baseline" else ""
    return f"{check.threshold}: {check.task}, {check.slice}{against}"


@dataclass
class Coverage:
    """How often bounds of one estimate hold, over trials, tasks and slices.

    Attributes:
        intervals: so many there were.
        beyond: ``(2, 2)``, how often the truth was under the lower bound, and over the upper one,
            at each of `LEVELS`.
    """

    intervals: int = 0
    beyond: np.ndarray = field(default_factory=lambda: np.zeros((2, 2), np.int64))

    def add(self, curve: ConfidenceCurve | None, truth: float) -> None:
        """Counts the bounds of an estimate, if it has any."""
        if curve is None:
            return
        self.intervals += 1
        for place, level in enumerate(LEVELS):
            self.beyond[place, 0] += truth < curve.bound(level, "lower")
            self.beyond[place, 1] += truth > curve.bound(level, "upper")


def trials_of(
    models: EqualModels,
    trials: int,
    seed: int,
    chunk: int = _CHUNK,
    only_relaimp: bool = False,
) -> Iterator[SliceResults]:
    """Draws and evaluates test splits, some at a time; see `evaluations` for `only_relaimp`."""
    rng = np.random.default_rng(seed)
    for start in range(0, trials, chunk):
        number = min(chunk, trials - start)
        yield from evaluations(models.draw(rng, number), number, only_relaimp)


def measure(
    models: EqualModels, trials: int, seeds: Sequence[int], gates: dict[str, GateSettings]
) -> tuple[dict[str, Shares], dict[str, Coverage]]:
    """Judges test splits by several gates.

    Args:
        models: how splits are drawn.
        trials: number of splits of each seed.
        seeds: of the draws.
        gates: by name.

    Returns:
        Shares by name of the gate, and coverage by name of the estimate.
    """
    known, truth = contract(), models.truth()
    shares = {name: Shares() for name in gates}
    coverage = {name: Coverage() for name in ("AUC", "difference", "RelaImp")}
    for results in (drawn for seed in seeds for drawn in trials_of(models, trials, seed)):
        for name, settings in gates.items():
            shares[name].add(judge(results, settings, known))
        for metric in results.metrics:
            auc = truth[results.tasks.index(metric.task)]
            coverage["AUC"].add(metric.auc_curve, auc)
        for compared in results.comparisons:
            coverage["difference"].add(compared.auc_difference_curve, 0.0)
            coverage["RelaImp"].add(compared.relaimp_curve, 0.0)
    return shares, coverage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200, help="of each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(100, 110)))
    parser.add_argument("--loss", type=float, default=0.0, help="of the candidate's gain, in feed")
    parser.add_argument("--rows", type=int, default=EqualModels.rows, help="of a split")
    parser.add_argument("--users", type=int, default=EqualModels.users, help="of a split")
    arguments = parser.parse_args()
    gates = {
        (name, rate): gate(thresholds, rate)
        for name, thresholds in GATES.items()
        for rate in (None, ERROR_RATE)
        # Where nothing looks for a loss there is no family.
        if rate is None or any(threshold["bound"] == "upper" for threshold in thresholds)
    }
    models = EqualModels(arguments.rows, arguments.users, loss=arguments.loss)
    shares, coverage = measure(models, arguments.trials, arguments.seeds, gates)
    console = Console(width=150)
    console.print(_gate_table(shares))
    if not arguments.loss:
        console.print(_coverage_table(coverage))


def _gate_table(shares: dict[Any, Shares]) -> Table:
    trials = next(iter(shares.values())).trials
    table = Table(
        "gate", "decides", "checks", "bound: upper blocks", "one of them blocks",
        "bound: lower passes", "all pass",
        title=f"A/A of simulated scorers, {trials} trials, % (mean, least to most of the checks)",
    )  # fmt: skip
    for (name, rate), found in shares.items():
        table.add_row(
            name,
            "check by check" if rate is None else f"error_rate {rate}",
            str(len(found.blocks)),
            _range(found.errors("blocking")),
            f"{100 * found.held_back / found.trials:.1f}",
            _range(found.errors("passing")),
            f"{100 * found.passed / found.trials:.1f}",
        )
    return table


def _range(shares: np.ndarray) -> str:
    if not len(shares):
        return "–"
    return f"{shares.mean():.1f}, {shares.min():.1f} to {shares.max():.1f}"


def _coverage_table(coverage: dict[str, Coverage]) -> Table:
    titles = [f"{side} at {100 * level:.2g} %" for level in LEVELS for side in ("under", "over")]
    table = Table("estimate", "intervals", *titles, title="The truth lies beyond the bound, %")
    for name, found in coverage.items():
        beyond = 100 * found.beyond.ravel() / max(found.intervals, 1)
        table.add_row(name, f"{found.intervals:,}", *(f"{share:.2f}" for share in beyond))
    return table


if __name__ == "__main__":
    main()
