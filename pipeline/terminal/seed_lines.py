"""How far the seeds of the candidate differ: one line."""

from collections.abc import Iterator

from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.components.slice_evaluation.statistics.slice_metrics import AUC, CANDIDATE


def seed_lines(results: SliceResults) -> Iterator[str]:
    """Yields the AUCs of the candidate's seeds on all rows; nothing where it was trained once.

    Args:
        results: of the slice evaluation.
    """
    trained = results.seeds.get(CANDIDATE)
    if trained is None:
        return
    parts = []
    for task in results.tasks:
        found = {
            one.seed: one.values.get(AUC)
            for one in results.by_seed
            if (one.model, one.task, one.key) == (CANDIDATE, task, ())
        }
        values = [found.get(seed) for seed in trained.seeds]
        if all(value is None for value in values):
            continue  # Labels that are numbers have no AUC.
        told = ", ".join("undefined" if value is None else f"{value:.4f}" for value in values)
        parts.append(f"{task} {told}")
    listed = ", ".join(map(str, trained.seeds))
    if parts:
        yield f"AUC by seed ({listed}; exported: {trained.exported}): {'; '.join(parts)}"
