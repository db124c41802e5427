"""How far the seeds of each model differ, over all rows."""

from dataclasses import dataclass

import numpy as np

from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.components.slice_evaluation.statistics.slice_metrics import AUC


@dataclass(frozen=True)
class SeedRow:
    """The AUCs of one model in one task.

    Attributes:
        task: name.
        model: name.
        values: by seed, whether its model is the exported one, and its AUC; None where undefined.
        mean: of the seeds; None where one is undefined.
        deviation: standard deviation between them; likewise.
    """

    task: str
    model: str
    values: tuple[tuple[int, bool, float | None], ...]
    mean: float | None
    deviation: float | None


def seed_rows(results: SliceResults) -> list[SeedRow]:
    """Returns a row per task and model that was trained from several seeds; none without such.

    Args:
        results: of the slice evaluation.
    """
    found = {
        (one.model, one.task, one.seed): one.values.get(AUC)
        for one in results.by_seed
        if one.key == ()
    }
    rows = []
    for task in results.tasks:
        for model, trained in results.seeds.items():
            values = [found.get((model, task, seed)) for seed in trained.seeds]
            known = [value for value in values if value is not None]
            if not known:
                continue
            whole = len(known) == len(values)
            marked = [seed == trained.exported for seed in trained.seeds]
            rows.append(
                SeedRow(
                    task,
                    model,
                    tuple(zip(trained.seeds, marked, values, strict=True)),
                    float(np.mean(known)) if whole else None,
                    float(np.std(known, ddof=1)) if whole else None,
                )
            )
    return rows
