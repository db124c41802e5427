"""How often the intervals of all metrics hold, on simulated users and requests.

    python -m benchmarks.metric_intervals                 # all settings, some minutes
    python -m benchmarks.metric_intervals --only 50 --trials 500

Every trial is a slice of one evaluation, so that all go through the evaluation's own code. A
trial counts as covered where the true value lies inside its interval; a share is of those that
have one. The interval's confidence is 95 %. "difference" is that of the candidate and another
model; "blocks" the share of trials in which the difference is surely a loss, which of equal models
should be 2.5 % at most.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.simulated_requests import Requests, passes
from mtlx.components.slice_evaluation.statistics.paired_auc import Estimate
from mtlx.components.slice_evaluation.statistics.slice_metrics import (
    DIFFERENCE,
    Place,
    SliceMetricsBuilder,
    comparison_name,
    stored_name,
)

CONFIDENCE = 0.95
BINARY = (
    *("log_loss", "calibration", "normalised_entropy", "ece", "rmse", "gauc", "gauc_equal"),
    *("ndcg@3", "mrr", "recall@3"),
)
NUMBERS = ("rmse", "calibration", "xauc")
SETTINGS = {
    "12 users": Requests(12),
    "50 users": Requests(50),
    "250 users": Requests(250),
    "50 users, weighted rows": Requests(50, weighted=True),
    "50 users, 2 % positives": Requests(50, requests=6, share=0.02),
    "50 users, strong effects": Requests(50, user_effect=1.5),
    "50 users, perfectly calibrated but for users": Requests(50, scales=(1.0, 1.0)),
    "50 users, unequal models": Requests(50, noises=(0.3, 1.5)),
    "50 users, numbers": Requests(50, numbers=True, share=0.9),
    "250 users, numbers": Requests(250, numbers=True, share=0.9),
}


@dataclass(frozen=True)
class Coverage:
    """Shares of trials, of one metric.

    Attributes:
        value: of those with an interval, where it holds the candidate's true value.
        below: where the interval lies below it.
        difference: where that of the difference holds the true one.
        blocks: where the candidate is surely worse, or surely better (the larger share).
        undecidable: without an interval.
    """

    value: float
    below: float
    difference: float
    blocks: float
    undecidable: float


def measure(
    drawn: Requests, metrics: tuple[str, ...], trials: int, seed: int = 0
) -> dict[str, Coverage]:
    """Draws test splits and evaluates both models on each.

    Args:
        drawn: how rows are drawn.
        metrics: names, as in `evaluation.metrics`.
        trials: number of test splits.
        seed: of the draws.
    """
    truth = drawn.truth(metrics)
    batch = drawn.draw(np.random.default_rng(seed), trials)
    second, chosen, moments = passes(batch, metrics, drawn)
    models = ("candidate", "baseline")
    builder = SliceMetricsBuilder(models, ("task",), CONFIDENCE, chosen)
    built = [values for _, values in builder.build(second.paired, *second.measured(*moments, "u"))]
    found = {}
    for name in metrics:
        own = _bounds(built, Place(stored_name(name), "candidate", "task"))
        compared = comparison_name("baseline")
        gap = _bounds(built, Place(stored_name(name) + DIFFERENCE, compared, "task"))
        value, difference = truth[name][0], truth[name][0] - truth[name][1]
        found[name] = Coverage(
            _share(own, (own[:, 0] <= value) & (value <= own[:, 1])),
            _share(own, own[:, 1] < value),
            _share(gap, (gap[:, 0] <= difference) & (difference <= gap[:, 1])),
            max(_share(gap, gap[:, 1] < 0), _share(gap, gap[:, 0] > 0)),
            float(np.isnan(own[:, 0]).mean()),
        )
    return found


def _bounds(built: list[dict], place: Place) -> np.ndarray:
    """Ends ``(K, 2)``, NaN without an interval."""
    nothing = Estimate(lower=np.nan, upper=np.nan)
    found = [values.get(place, nothing) for values in built]
    return np.array(
        [(np.nan, np.nan) if one.lower is None else (one.lower, one.upper) for one in found]
    )


def _share(bounds: np.ndarray, of: np.ndarray) -> float:
    decided = np.isfinite(bounds[:, 0])
    return float(of[decided].mean()) if decided.any() else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="settings whose name holds this")
    arguments = parser.parse_args()
    error = 100 * np.sqrt(0.95 * 0.05 / arguments.trials)
    table = Table(
        *("setting", "metric", "value", "below", "difference", "blocks", "undecidable"),
        title=f"Coverage in %, nominal 95 ± {error:.1f}",
    )
    for name, drawn in SETTINGS.items():
        if arguments.only not in name:
            continue
        metrics = NUMBERS if drawn.numbers else BINARY
        for metric, found in measure(drawn, metrics, arguments.trials, arguments.seed).items():
            shares = (found.value, found.below, found.difference, found.blocks, found.undecidable)
            table.add_row(name, metric, *(f"{100 * share:.1f}" for share in shares))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
