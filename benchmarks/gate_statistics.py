"""How often the intervals of the evaluation hold, on simulated models whose truth is known.

    python -m benchmarks.gate_statistics                  # all settings, some minutes
    python -m benchmarks.gate_statistics --only 20 --trials 500

Every trial is a slice of one evaluation, so that all go through the evaluation's own code. A
trial counts as covered where the true value lies inside its interval, and as undecidable where
there is no interval; a share below is of those that have one. The interval's confidence is 95 %.
"Oracle" is RelaImp's share where the evaluation is told the true covariance of the two AUCs.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.simulated_scorers import Scorers, batch_of_trials
from mtlx.components.slice_evaluation.statistics import paired_auc
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.paired_auc import (
    Estimate,
    auc_difference,
    auc_estimate,
    relaimp,
)
from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.components.slice_evaluation.statistics.spread import Spread

CONFIDENCE = 0.95
#: Rows that are drawn and evaluated at once.
_CHUNK = 2_000_000

_STRONG = {"share": 0.05, "gains": (3.1, 3.1)}
SETTINGS = {
    "rows, 20 positives": Scorers(75),
    "rows, 50 positives": Scorers(187),
    "rows, 200 positives": Scorers(750),
    "rows, 1,000 positives": Scorers(3750),
    "5 users, 27 positives": Scorers(100, 5),
    "12 users, 67 positives": Scorers(250, 12),
    "50 users, 267 positives": Scorers(1000, 50),
    "250 users, 1,338 positives": Scorers(5000, 250),
    "20 users, 50 positives": Scorers(187, 20),
    "20 users, 50 positives, strong effects": Scorers(
        187, 20, score_effect=1.5, label_effect=1.2, correlation=0.7
    ),
    "20 users, 50 positives, weak effects": Scorers(
        187, 20, score_effect=0.2, label_effect=0.2, correlation=0.0
    ),
    "3 users, 267 positives": Scorers(1000, 3),
    "5 users, 267 positives": Scorers(1000, 5),
    "8 users, 267 positives": Scorers(1000, 8),
    "10 users, 267 positives": Scorers(1000, 10),
    "20 users, 267 positives": Scorers(1000, 20),
    "50 heavy users (1 / rank)": Scorers(1000, 50, heaviness=1.0),
    "50 very heavy users (1 / rank^1.3)": Scorers(1000, 50, heaviness=1.3),
    "300 heavy users (1 / rank^1.1)": Scorers(2000, 300, heaviness=1.1),
    "rows, ties of 10 levels": Scorers(187, levels=10),
    "rows, ties of 4 levels": Scorers(187, levels=4),
    "rows, weak (0.56), 50 positives": Scorers(1000, share=0.05, gains=(0.2, 0.2)),
    "rows, 0.95, 50 positives": Scorers(500, share=0.1, gains=(2.3, 2.3)),
    "rows, strong (0.985), 50 positives": Scorers(1000, **_STRONG),
    "rows, strong (0.996), 50 positives": Scorers(1000, share=0.05, gains=(3.8, 3.8)),
    "50 users, strong (0.975), 50 positives": Scorers(780, 50, **_STRONG),
    "rows, 50 negatives": Scorers(187, share=0.733),
    "rows, 0.95, 50 negatives": Scorers(500, share=0.9, gains=(2.3, 2.3)),
    "rows, 1 in 5 scored differently": Scorers(187, differing=0.2),
    "rows, 1 in 50 scored differently": Scorers(1000, share=0.05, differing=0.02),
    "20 users, 1 row in 5 scored differently": Scorers(187, 20, differing=0.2),
    "rows, nearly perfect (0.9997)": Scorers(1000, share=0.05, gains=(4.8, 4.8)),
    "rows, weak (0.53), 50 positives": Scorers(1000, share=0.05, gains=(0.1, 0.1)),
    "rows, weak (0.60), 50 positives": Scorers(1000, share=0.05, gains=(0.36, 0.36)),
}
#: Models that are not equally good: what passes is the power of a lower end of at least 0.
UNEQUAL = {
    "rows, 0.80 over 0.76, 50 positives": Scorers(187, gains=(1.2, 1.0)),
    "rows, 0.80 over 0.76, 1,000 positives": Scorers(3750, gains=(1.2, 1.0)),
    "20 users, 0.85 over 0.72, 50 positives": Scorers(187, 20, gains=(1.6, 0.8)),
    "rows, 0.985 over 0.95, 50 positives": Scorers(1000, share=0.05, gains=(3.1, 2.3)),
    "rows, 0.996 over 0.985, 50 positives": Scorers(1000, share=0.05, gains=(3.8, 3.1)),
    "rows, 0.985 over 0.76, 50 positives": Scorers(1000, share=0.05, gains=(3.1, 1.0)),
    "rows, 0.76 under 0.985, 50 positives": Scorers(1000, share=0.05, gains=(1.0, 3.1)),
    "50 users, 0.97 over 0.93, 50 positives": Scorers(780, 50, share=0.05, gains=(3.1, 2.3)),
    "rows, weak (0.60 over 0.56), 50 positives": Scorers(1000, share=0.05, gains=(0.36, 0.2)),
}
#: The same rows as if nobody had named the users.
WITHOUT_KEY = (
    "12 users, 67 positives", "50 users, 267 positives", "250 users, 1,338 positives",
)  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """Shares of trials.

    Attributes:
        auc: of those with an interval, where it holds the candidate's true AUC.
        difference: likewise the true difference of the AUCs.
        relaimp: likewise the true RelaImp.
        passes: of all trials, where the lower end of RelaImp is at least 0.
        undecidable: of all trials, without an interval of the AUC, and of RelaImp.
        oracle: as `relaimp`, with the true covariance of the AUCs in place of the estimate.
        width: median of the difference's intervals.
    """

    auc: float
    difference: float
    relaimp: float
    passes: float
    undecidable: tuple[float, float]
    oracle: float
    width: float


def measure(scorers: Scorers, trials: int, seed: int = 0, named: bool = True) -> Coverage:
    """Draws test splits and evaluates both models on each.

    Args:
        scorers: how rows are drawn.
        trials: number of test splits.
        seed: of the draws.
        named: whether the evaluation is told the users.
    """
    rng = np.random.default_rng(seed)
    truth = scorers.truth()
    gain = 100 * ((truth[0] - 0.5) / (truth[1] - 0.5) - 1)
    values = np.array([truth[0], truth[0] - truth[1], gain])
    found: list[np.ndarray] = []
    aucs: list[np.ndarray] = []
    chunk = max(_CHUNK // scorers.rows, 1)
    for start in range(0, trials, chunk):
        drawn = scorers.draw(rng, min(chunk, trials - start))
        bounds, pairs = estimates(*drawn, clustered=bool(scorers.users) and named)
        found.append(bounds)
        aucs.append(pairs)
    bounds = np.concatenate([np.concatenate(found), _oracle(np.concatenate(aucs))[:, None]], axis=1)
    lower, upper = bounds[..., 0], bounds[..., 1]
    decided = np.isfinite(lower)
    values = np.append(values, gain)
    covered = (lower <= values) & (values <= upper)
    shares = covered.sum(axis=0) / np.maximum(decided.sum(axis=0), 1)
    shares[~decided.any(axis=0)] = np.nan
    undecided = 1 - decided.mean(axis=0)
    passes = float((lower[:, 2] >= 0).mean())
    widths = (upper - lower)[decided[:, 1], 1]
    width = float(np.median(widths)) if len(widths) else np.nan
    auc, difference, ratio, oracle = map(float, shares)
    return Coverage(
        auc, difference, ratio, passes, (undecided[0], undecided[2]), oracle, width
    )  # fmt: skip


def _oracle(aucs: np.ndarray) -> np.ndarray:
    """RelaImp's bounds ``(K, 2)`` for AUCs ``(K, 2)`` whose covariance is that among the trials."""
    covariance = np.cov(aucs.T)
    many = 1e9
    gap = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    fourth, of_gap = 3 * np.diagonal(covariance) ** 2 / many, np.array([3 * gap**2 / many])
    spread = Spread(covariance, fourth, of_gap, *map(np.array, (many, many, many)))
    return np.array([_bounds(relaimp(pair, spread, 1, CONFIDENCE)) for pair in aucs])


def estimates(
    labels: np.ndarray, scores: np.ndarray, users: np.ndarray, clustered: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Both passes of the evaluation over trials.

    Args:
        labels: ``(K, N)`` bool.
        scores: ``(2, K, N)`` float32.
        users: ``(K, N)`` uint64.
        clustered: whether users are clusters.

    Returns:
        ``(K, 3, 2)`` lower and upper end for AUC, difference and RelaImp, NaN without interval,
        and the AUCs ``(K, 2)``.
    """
    batch = batch_of_trials(labels, scores, users)
    totals = SliceTotals(2, 1, maximum_slices=len(labels))
    totals.add(batch)
    passed = PairedPass(totals)
    if clustered:
        sums: ClusterSums = passed.cluster_sums(batch)
        spread = passed.spread(passed.moments_of_clusters(sums), "user")
    else:
        spread = passed.spread(passed.moments(batch))
    bounds = []
    for trial in range(len(labels)):
        aucs, own = passed.auc[trial, :, 0], spread[trial, 0]
        bounds.append([
            _bounds(auc_estimate(aucs[0], own, 0, CONFIDENCE)),
            _bounds(auc_difference(aucs, own, 1, CONFIDENCE)),
            _bounds(relaimp(aucs, own, 1, CONFIDENCE)),
        ])  # fmt: skip
    return np.array(bounds), passed.auc[:, :, 0]


def _bounds(estimate: Estimate) -> tuple[float, float]:
    if estimate.lower is None:
        return np.nan, np.nan
    return estimate.lower, estimate.upper


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="settings whose name holds this")
    parser.add_argument(
        "--above-chance",
        type=float,
        default=paired_auc.STANDARD_ERRORS_ABOVE_CHANCE,
        help="standard errors above 0.5 that RelaImp asks of the baseline's AUC",
    )
    parser.add_argument("--verbose", action="store_true", help="print each setting at once, too")
    arguments = parser.parse_args()
    paired_auc.STANDARD_ERRORS_ABOVE_CHANCE = arguments.above_chance
    error = 100 * np.sqrt(0.95 * 0.05 / arguments.trials)
    table = Table(
        "setting", "AUC", "difference", "RelaImp", "oracle", "lower >= 0", "undecidable", "width",
        title=f"Coverage in %, nominal 95 ± {error:.1f}; of equal models at most 2.5 should pass",
    )  # fmt: skip
    runs = [(name, True) for name in SETTINGS] + [(name, False) for name in WITHOUT_KEY]
    for name, named in runs + [(name, True) for name in UNEQUAL]:
        if arguments.only not in name:
            continue
        scorers = SETTINGS.get(name) or UNEQUAL[name]
        found = measure(scorers, arguments.trials, arguments.seed, named)
        table.add_row(
            name if named else f"{name}, no key",
            *(
                "–" if np.isnan(share) else f"{100 * share:.1f}"
                for share in (found.auc, found.difference, found.relaimp, found.oracle)
            ),
            f"{100 * found.passes:.1f}",
            " / ".join(f"{100 * share:.0f}" for share in found.undecidable),
            f"{found.width:.4f}",
        )
        if arguments.verbose:
            print(f"{name}{'' if named else ', no key'}: {found}", flush=True)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
