"""First pass: counts, sums and score histograms of every (model, task, slice)."""

import numpy as np

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.slices import SliceKey, slice_text
from mtlx.components.slice_evaluation.statistics.score_histogram import ScoreHistogram

#: Probabilities are clipped to [this, 1 - this] in the log loss, as Keras does.
LOG_LOSS_EPSILON = 1e-7
#: Sums by slice (and model) and task.
_SUMS = (
    *("examples", "positives", "weight", "weight_squares", "targets", "undefined"),
    *("log_loss", "predictions", "squared_error"),
)


def log_losses(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Binary cross-entropy of each row ``(N,)`` float64, of bool labels and probabilities."""
    clipped = np.clip(scores.astype(np.float64), LOG_LOSS_EPSILON, 1 - LOG_LOSS_EPSILON)
    return -np.log(np.where(labels, clipped, 1 - clipped))


class TooManySlicesError(ValueError):
    """The configured crosses have more slices than the settings allow."""


class SliceTotals:
    """Everything that one pass over the rows can tell, mergeable in any order.

    Axes: S slices, numbered as they occur; M models; T tasks. Only rows of a task's population
    count for the task. Sums other than counts are of rows times their weights.

    Args:
        models: number of models.
        tasks: number of tasks.
        maximum_slices: more are refused.
        regressions: numbers of the tasks whose labels are numbers; they have no classes, and so
            neither log loss nor histogram.

    Attributes:
        keys: the slices.
        examples: ``(S, T)`` int64.
        positives: ``(S, T)`` int64, rows with a label above 0.
        weight: ``(S, T)`` float64, sum of the rows' weights.
        weight_squares: ``(S, T)`` float64, of their squares.
        targets: ``(S, T)`` float64, of the labels.
        undefined: ``(S, M, T)`` int64, rows with a prediction that is no finite number.
        log_loss: ``(S, M, T)`` float64, sum over the other rows.
        predictions: ``(S, M, T)`` float64, sum over the other rows.
        squared_error: ``(S, M, T)`` float64, sum over the other rows of (prediction - label)².
        histogram: of these; group = (slice · M + model) · T + task.
    """

    def __init__(
        self,
        models: int,
        tasks: int,
        maximum_slices: int,
        regressions: frozenset[int] = frozenset(),
    ):
        self.models, self.tasks, self.maximum_slices = models, tasks, maximum_slices
        self.regressions = regressions
        self.keys: list[SliceKey] = []
        self._ordinals: dict[SliceKey, int] = {}
        self.examples = np.zeros((0, tasks), np.int64)
        self.positives = np.zeros((0, tasks), np.int64)
        self.weight = np.zeros((0, tasks))
        self.weight_squares = np.zeros((0, tasks))
        self.targets = np.zeros((0, tasks))
        self.undefined = np.zeros((0, models, tasks), np.int64)
        self.log_loss = np.zeros((0, models, tasks))
        self.predictions = np.zeros((0, models, tasks))
        self.squared_error = np.zeros((0, models, tasks))
        self.histogram = ScoreHistogram()

    @property
    def negatives(self) -> np.ndarray:
        """``(S, T)`` int64."""
        return self.examples - self.positives

    @property
    def class_weights(self) -> np.ndarray:
        """``(2, S, T)`` float64, weight of the rows with label 1, and of those with label 0."""
        return np.stack([self.targets, self.weight - self.targets])

    def ordinals(self, keys: tuple[SliceKey, ...]) -> np.ndarray:
        """Returns the numbers of slices that have been seen, ``(len(keys),)`` int64."""
        return np.array([self._ordinals[key] for key in keys], np.int64)

    def groups(self, slices: np.ndarray, model: int, task: int) -> np.ndarray:
        """Returns the histogram's groups of a model and task in the given slices."""
        return (slices * self.models + model) * self.tasks + task

    def add(self, batch: EvaluationBatch) -> None:
        """Adds a batch of rows."""
        for column in batch.slices:
            self._register(column.keys)
        rows, slices = batch.entries([self.ordinals(column.keys) for column in batch.slices])
        for task in range(self.tasks):
            counts = batch.population[task, rows]
            members, places = rows[counts], slices[counts]
            labels = batch.labels[task, members]
            weights = batch.weights[task, members].astype(np.float64)
            size = len(self.keys)
            self.examples[:, task] += np.bincount(places, minlength=size)
            self.positives[:, task] += np.bincount(places[labels > 0], minlength=size)
            self.weight[:, task] += np.bincount(places, weights, minlength=size)
            self.weight_squares[:, task] += np.bincount(places, weights**2, minlength=size)
            self.targets[:, task] += np.bincount(places, weights * labels, minlength=size)
            for model in range(self.models):
                scores = batch.scores[model, task, members]
                self._add_scores(model, task, places, scores, labels, weights)

    def merge(self, other: "SliceTotals") -> None:
        """Adds totals of other rows."""
        self._register(tuple(other.keys))
        ordinals = self.ordinals(tuple(other.keys))
        for name in _SUMS:
            getattr(self, name)[ordinals] += getattr(other, name)
        per_slice = self.models * self.tasks
        group_map = (ordinals[:, None] * per_slice + np.arange(per_slice)).ravel()
        self.histogram.merge(other.histogram, group_map)

    def _add_scores(
        self,
        model: int,
        task: int,
        places: np.ndarray,
        scores: np.ndarray,
        labels: np.ndarray,
        weights: np.ndarray,
    ) -> None:
        finite = np.isfinite(scores)
        size = len(self.keys)
        if not finite.all():
            self.undefined[:, model, task] += np.bincount(places[~finite], minlength=size)
            places, scores, labels = places[finite], scores[finite], labels[finite]
            weights = weights[finite]
        off = weights * (scores.astype(np.float64) - labels) ** 2
        self.predictions[:, model, task] += np.bincount(places, weights * scores, minlength=size)
        self.squared_error[:, model, task] += np.bincount(places, off, minlength=size)
        if task in self.regressions:
            return
        labels = labels > 0
        losses = weights * log_losses(labels, scores)
        self.log_loss[:, model, task] += np.bincount(places, losses, minlength=size)
        self.histogram.add(self.groups(places, model, task), scores, labels, weights)

    def _register(self, keys: tuple[SliceKey, ...]) -> None:
        new = [key for key in keys if key not in self._ordinals]
        if not new:
            return
        for key in new:
            self._ordinals[key] = len(self.keys)
            self.keys.append(key)
        if len(self.keys) > self.maximum_slices:
            raise TooManySlicesError(
                f"evaluation.slices: more than {self.maximum_slices} slices, the latest is "
                f"{slice_text(new[-1])!r}; remove the cross with the many values, or raise "
                "evaluation.maximum_slices"
            )
        for name in _SUMS:
            array = getattr(self, name)
            room = np.zeros((len(new), *array.shape[1:]), array.dtype)
            setattr(self, name, np.concatenate([array, room]))
        self.histogram.resize(len(self.keys) * self.models * self.tasks)
