"""The area under the curve that a model would reach that knew the true probabilities."""

import numpy as np
from sklearn.metrics import roc_auc_score

from mtlx.pipeline.simulation.settings import DOMAINS, TASKS


class BestAuc:
    """Collects a day's true probabilities and labels, then measures them as a model's.

    A task is measured on its population: click on all impressions, add_to_cart on clicked ones,
    purchase on those in the cart.
    """

    def __init__(self) -> None:
        self._chunks: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, conditional: np.ndarray, labels: np.ndarray, domain: np.ndarray) -> None:
        """Adds rows: conditional probabilities ``(n, T)``, labels ``(n, T)``, domains ``(n,)``."""
        self._chunks.append((conditional, labels, domain))

    def result(self) -> dict[str, dict[str, float | None]]:
        """AUC by task and slice (``overall``, ``domain=search``); None where it is undefined."""
        conditional, labels, domain = (
            np.concatenate(parts) for parts in zip(*self._chunks, strict=True)
        )
        best: dict[str, dict[str, float | None]] = {}
        population = np.ones(len(domain), bool)
        for index, task in enumerate(TASKS):
            slices = {"overall": population}
            for number, name in enumerate(DOMAINS):
                slices[f"domain={name}"] = population & (domain == number)
            best[task] = {
                name: _auc(labels[rows, index], conditional[rows, index])
                for name, rows in slices.items()
            }
            population = population & (labels[:, index] == 1)
        return best


def _auc(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    if len(np.unique(labels)) < 2:
        return None
    return float(roc_auc_score(labels, probabilities))
