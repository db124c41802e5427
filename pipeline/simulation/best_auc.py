"""The area under the curve that a model would reach that knew the true probabilities."""

import numpy as np
from sklearn.metrics import roc_auc_score

from mtlx.pipeline.simulation.preferences import Probabilities
from mtlx.pipeline.simulation.settings import DOMAINS, TASKS

#: Where a click stands that is judged without the position, as it is served.
CLICK_WITHOUT_POSITION = f"{TASKS[0]} without position"


class BestAuc:
    """Collects a day's true probabilities and labels, then measures them as a model's.

    A task is measured on its population: click on all impressions, add_to_cart on clicked ones,
    purchase on those in the cart. Click is measured twice: by one who knows the position of a
    row, and by one who does not, which is who ranks the rows.
    """

    def __init__(self) -> None:
        self._chunks: list[tuple[np.ndarray, ...]] = []

    def add(self, truth: Probabilities, labels: np.ndarray, domain: np.ndarray) -> None:
        """Adds rows: true probabilities, labels ``(n, T)``, domains ``(n,)``."""
        known = (truth.conditional, truth.click_without_position)
        self._chunks.append((*known, labels, domain))

    def result(self) -> dict[str, dict[str, float | None]]:
        """AUC by task and slice (``overall``, ``domain=search``); None where it is undefined.

        The task `CLICK_WITHOUT_POSITION` is the click of one who does not know the position.
        """
        conditional, unplaced, labels, domain = (
            np.concatenate(parts) for parts in zip(*self._chunks, strict=True)
        )
        best: dict[str, dict[str, float | None]] = {}
        population = np.ones(len(domain), bool)
        for index, task in enumerate(TASKS):
            best[task] = _by_slice(labels[:, index], conditional[:, index], population, domain)
            population = population & (labels[:, index] == 1)
        everywhere = np.ones(len(domain), bool)
        best[CLICK_WITHOUT_POSITION] = _by_slice(labels[:, 0], unplaced, everywhere, domain)
        return best


def _by_slice(
    labels: np.ndarray, probabilities: np.ndarray, population: np.ndarray, domain: np.ndarray
) -> dict[str, float | None]:
    slices = {"overall": population}
    for number, name in enumerate(DOMAINS):
        slices[f"domain={name}"] = population & (domain == number)
    return {name: _auc(labels[rows], probabilities[rows]) for name, rows in slices.items()}


def _auc(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    if len(np.unique(labels)) < 2:
        return None
    return float(roc_auc_score(labels, probabilities))
