"""A batch of rows as arrays: what both passes of the evaluation read."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mtlx.components.slice_evaluation.slices import SliceColumn

#: Keys of the extracts that TFMA has none for.
SLICE_COLUMNS_KEY = "slice_columns"
USERS_KEY = "users"
REQUESTS_KEY = "requests"
GROUPINGS_KEY = "groupings"


@dataclass(frozen=True)
class EvaluationBatch:
    """Rows with their slices, labels, weights and scores.

    Attributes:
        slices: the slices of each cross, `SliceColumn` of ``(B,)``.
        labels: ``(T, B)``, bool; numbers where a task is a regression, of which those of the other
            tasks are 0 or 1.
        weights: ``(T, B)``, not negative: what the row counts for in the task, 0 outside of its
            population. A bool mask is weights of 1.
        scores: ``(M, T, B)`` float32, NaN where the model served no finite number.
        users: ``(B,)`` uint64, or None where rows are independent.
        groupings: by feature ``(B,)`` uint64 hashes of its values, 0 where there is none: features
            of which it is found out whether they tell users apart.
        requests: ``(B,)`` uint64 hashes of the requests that rows belong to, 0 where there is
            none; None where no request is named.
    """

    slices: list[SliceColumn]
    labels: np.ndarray
    weights: np.ndarray
    scores: np.ndarray
    users: np.ndarray | None
    groupings: dict[str, np.ndarray] = field(default_factory=dict)
    requests: np.ndarray | None = None

    @property
    def population(self) -> np.ndarray:
        """``(T, B)`` bool, where the row counts for the task."""
        return self.weights > 0

    @classmethod
    def from_extracts(
        cls,
        extracts: dict[str, Any],
        models: tuple[str, ...],
        tasks: tuple[str, ...],
        regressions: frozenset[str] = frozenset(),
    ) -> "EvaluationBatch":
        """Stacks the arrays of batched extracts in the given order of models and tasks.

        Args:
            extracts: TFMA's, of `extractors`.
            models: names.
            tasks: names.
            regressions: tasks whose labels are numbers.

        Raises:
            ValueError: a weight is negative or no finite number.
        """
        # The arrays themselves are looked at without TFMA, which takes seconds to import.
        import tensorflow_model_analysis as tfma

        labels = extracts[tfma.LABELS_KEY]
        predictions = extracts[tfma.PREDICTIONS_KEY]
        values = [labels[task] if task in regressions else labels[task] > 0 for task in tasks]
        return cls(
            slices=extracts[SLICE_COLUMNS_KEY],
            labels=np.stack(values),
            weights=checked_weights(extracts[tfma.EXAMPLE_WEIGHTS_KEY], tasks),
            scores=np.stack(
                [np.stack([predictions[model][task] for task in tasks]) for model in models]
            ),
            users=extracts.get(USERS_KEY),
            groupings=extracts.get(GROUPINGS_KEY, {}),
            requests=extracts.get(REQUESTS_KEY),
        )

    def entries(self, ordinals: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Lists every membership of a row in a slice.

        Args:
            ordinals: per cross, the global number of each of the batch's slices.

        Returns:
            Row and slice number, each ``(E,)`` int64.
        """
        rows = np.tile(np.arange(self.labels.shape[1]), len(self.slices))
        slices = [
            numbers[column.codes] for column, numbers in zip(self.slices, ordinals, strict=True)
        ]
        return rows, np.concatenate(slices)


def checked_weights(weights: dict[str, np.ndarray], tasks: tuple[str, ...]) -> np.ndarray:
    """Stacks the weights of rows ``(T, B)`` float32.

    Args:
        weights: by task ``(B,)``.
        tasks: names, in the order of the result.

    Raises:
        ValueError: a weight is negative or no finite number.
    """
    for task in tasks:
        wrong = ~(np.isfinite(weights[task]) & (weights[task] >= 0))
        if wrong.any():
            raise ValueError(
                f"the weight of {int(wrong.sum())} of {len(wrong)} rows for task {task!r} is "
                f"negative or no finite number, say {weights[task][wrong][0]}; a weight is 0 or "
                "more: correct the weight's column in the logs"
            )
    return np.stack([weights[task].astype(np.float32) for task in tasks])
