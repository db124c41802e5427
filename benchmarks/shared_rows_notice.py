"""How often the evaluation notices that rows belong to users whom nobody has named.

    python -m benchmarks.shared_rows_notice

Simulated test splits: share in which the notice names the feature that tells users apart, where no
model reads it (`embed: false`) and where models do; and share in which it names one although the
rows of a user have nothing in common.
"""

import argparse
import dataclasses

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.simulated_scorers import Scorers
from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.slices import SliceColumn
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass
from mtlx.components.slice_evaluation.statistics.shared_rows import (
    GroupedPlacements,
    SharedRows,
    find_shared_rows,
)
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.transform.contract.data_contract import DataContract

FEATURES = ["user_id", "city"]
#: No model reads `user_id`, all read `city`.
CONTRACT = DataContract.read(
    {
        "features": {
            "scenario": {"kind": "categorical"},
            "city": {"kind": "categorical"},
            "price": {"kind": "numeric"},
            "user_id": {"kind": "categorical", "embed": False},
        },
        "tasks": {"click": {"label": "click"}},
        "domain": {"feature": "scenario", "values": ["feed", "search"]},
    }
)
SETTINGS = {
    "12 users, 67 positives": Scorers(250, 12),
    "20 users, 50 positives": Scorers(187, 20),
    "20 users, 267 positives": Scorers(1000, 20),
    "50 users, 267 positives": Scorers(1000, 50),
    "100 users, 533 positives": Scorers(2000, 100),
    "250 users, 1,338 positives": Scorers(5000, 250),
}


def findings(
    scorers: Scorers, rng: np.random.Generator, groupings: dict[str, np.ndarray] | None = None
) -> list[SharedRows]:
    """What the evaluation finds in one test split, its rows in three batches.

    Args:
        scorers: how rows are drawn.
        rng: of the draw.
        groupings: ``(N,)`` uint64 per feature; default: `user_id` tells users apart, and `city`
            is shuffled.
    """
    labels, scores, users = scorers.draw(rng, 1)
    rows = labels.size
    groupings = groupings or {"user_id": hashes(users), "city": rng.permutation(hashes(users))}
    batch = EvaluationBatch(
        [SliceColumn(np.zeros(rows, np.int64), ((),))],
        labels, np.ones((1, rows), bool), scores.reshape(2, 1, rows), None, groupings,
    )  # fmt: skip
    totals = SliceTotals(2, 1, 10)
    totals.add(batch)
    passed, grouped = PairedPass(totals), GroupedPlacements(tuple(FEATURES), 1)
    sums = ClusterSums(2)
    for part in np.array_split(np.arange(rows), 3):
        sums.merge(grouped.sums(_part(batch, part), passed))
    return find_shared_rows(sums, passed, FEATURES, ("click",), CONTRACT)


def hashes(users: np.ndarray) -> np.ndarray:
    """Hashes of user numbers, ``(N,)`` uint64; 0 would stand for no value."""
    return (users.ravel() + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)


def _part(batch: EvaluationBatch, rows: np.ndarray) -> EvaluationBatch:
    return dataclasses.replace(
        batch,
        slices=[SliceColumn(np.zeros(len(rows), np.int64), ((),))],
        labels=batch.labels[:, rows],
        weights=batch.weights[:, rows],
        scores=batch.scores[:, :, rows],
        groupings={name: values[rows] for name, values in batch.groupings.items()},
    )


def share_noticed(scorers: Scorers, feature: str, trials: int, seed: int = 0) -> float:
    """Share of test splits in which a feature that tells users apart is named.

    Args:
        scorers: how rows are drawn.
        feature: that tells users apart, one of `FEATURES`; the other one has no values.
        trials: number of test splits.
        seed: of the draws.
    """
    noticed = 0
    for trial in range(trials):
        _, _, users = scorers.draw(np.random.default_rng((seed, trial)), 1)
        groupings = dict.fromkeys(FEATURES, np.zeros(users.size, np.uint64))
        groupings[feature] = hashes(users)
        # The same draw again, now for its labels and scores.
        noticed += bool(findings(scorers, np.random.default_rng((seed, trial)), groupings))
    return noticed / trials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=300)
    arguments = parser.parse_args()
    table = Table("setting", "not read", "read by models", "nothing in common: not read", "read")
    for name, scorers in SETTINGS.items():
        alone = dataclasses.replace(scorers, score_effect=0.0, own_effect=0.0, label_effect=0.0)
        table.add_row(name, *(
            f"{100 * share_noticed(drawn, feature, arguments.trials):.0f}"
            for drawn in (scorers, alone) for feature in FEATURES
        ))  # fmt: skip
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
