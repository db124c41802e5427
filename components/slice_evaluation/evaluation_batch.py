"""A batch of rows as arrays: what both passes of the evaluation read."""

from dataclasses import dataclass, field

import numpy as np
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.slices import SliceColumn

#: Keys of the extracts that TFMA has none for.
SLICE_COLUMNS_KEY = "slice_columns"
USERS_KEY = "users"
GROUPINGS_KEY = "groupings"


@dataclass(frozen=True)
class EvaluationBatch:
    """Rows with their slices, labels, populations and scores.

    Attributes:
        slices: the slices of each cross, `SliceColumn` of ``(B,)``.
        labels: ``(T, B)`` bool.
        population: ``(T, B)`` bool, where the row counts for the task.
        scores: ``(M, T, B)`` float32, NaN where the model served no finite number.
        users: ``(B,)`` uint64, or None where rows are independent.
        groupings: by feature ``(B,)`` uint64 hashes of its values, 0 where there is none: features
            of which it is found out whether they tell users apart.
    """

    slices: list[SliceColumn]
    labels: np.ndarray
    population: np.ndarray
    scores: np.ndarray
    users: np.ndarray | None
    groupings: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def from_extracts(
        cls, extracts: tfma.types.Extracts, models: tuple[str, ...], tasks: tuple[str, ...]
    ) -> "EvaluationBatch":
        """Stacks the arrays of batched extracts in the given order of models and tasks."""
        labels = extracts[tfma.LABELS_KEY]
        weights = extracts[tfma.EXAMPLE_WEIGHTS_KEY]
        predictions = extracts[tfma.PREDICTIONS_KEY]
        return cls(
            slices=extracts[SLICE_COLUMNS_KEY],
            labels=np.stack([labels[task] > 0 for task in tasks]),
            population=np.stack([weights[task] > 0 for task in tasks]),
            scores=np.stack(
                [np.stack([predictions[model][task] for task in tasks]) for model in models]
            ),
            users=extracts.get(USERS_KEY),
            groupings=extracts.get(GROUPINGS_KEY, {}),
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
