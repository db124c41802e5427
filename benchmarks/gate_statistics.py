"""How often the intervals of the evaluation hold, on simulated models whose truth is known.

    python -m benchmarks.gate_statistics                  # all settings, some minutes
    python -m benchmarks.gate_statistics --only 20 --trials 500

Every trial is a slice of one evaluation, so that all go through the evaluation's own code. A
trial counts as covered where the true value lies inside its interval, and as undecidable where
there is no interval; a share below is of those that have one. The interval's confidence is 95 %.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.simulated_scorers import Scorers, batch_of_trials
from components.slice_evaluation.cluster_sums import ClusterSums
from components.slice_evaluation.paired_auc import Estimate, auc_difference, auc_estimate, relaimp
from components.slice_evaluation.paired_pass import PairedPass
from components.slice_evaluation.slice_totals import SliceTotals

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
        trials: how many.
    """

    auc: float
    difference: float
    relaimp: float
    passes: float
    undecidable: tuple[float, float]
    trials: int


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
    chunk = max(_CHUNK // scorers.rows, 1)
    for start in range(0, trials, chunk):
        drawn = scorers.draw(rng, min(chunk, trials - start))
        found.append(estimates(*drawn, clustered=bool(scorers.users) and named))
    bounds = np.concatenate(found)
    lower, upper = bounds[..., 0], bounds[..., 1]
    decided = np.isfinite(lower)
    covered = (lower <= values) & (values <= upper)
    shares = covered.sum(axis=0) / np.maximum(decided.sum(axis=0), 1)
    shares[~decided.any(axis=0)] = np.nan
    undecided = 1 - decided.mean(axis=0)
    passes = float((lower[:, 2] >= 0).mean())
    return Coverage(*map(float, shares), passes, (undecided[0], undecided[2]), trials)


def estimates(
    labels: np.ndarray, scores: np.ndarray, users: np.ndarray, clustered: bool
) -> np.ndarray:
    """Both passes of the evaluation over trials.

    Args:
        labels: ``(K, N)`` bool.
        scores: ``(2, K, N)`` float32.
        users: ``(K, N)`` uint64.
        clustered: whether users are clusters.

    Returns:
        ``(K, 3, 2)`` lower and upper end for AUC, difference and RelaImp, NaN without interval.
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
    return np.array(bounds)


def _bounds(estimate: Estimate) -> tuple[float, float]:
    if estimate.lower is None:
        return np.nan, np.nan
    return estimate.lower, estimate.upper


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="settings whose name holds this")
    arguments = parser.parse_args()
    error = 100 * np.sqrt(0.95 * 0.05 / arguments.trials)
    table = Table(
        "setting (equal models)", "AUC", "difference", "RelaImp", "lower >= 0", "undecidable",
        title=f"Coverage in %, nominal 95 ± {error:.1f}; passes, nominal at most 2.5",
    )  # fmt: skip
    runs = [(name, True) for name in SETTINGS] + [(name, False) for name in WITHOUT_KEY]
    for name, named in runs:
        if arguments.only not in name:
            continue
        found = measure(SETTINGS[name], arguments.trials, arguments.seed, named)
        table.add_row(
            name if named else f"{name}, no key",
            *(
                "–" if np.isnan(share) else f"{100 * share:.1f}"
                for share in (found.auc, found.difference, found.relaimp)
            ),
            f"{100 * found.passes:.1f}",
            " / ".join(f"{100 * share:.0f}" for share in found.undecidable),
        )
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
