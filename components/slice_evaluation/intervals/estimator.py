"""Estimates of models that were trained once, and of means over those of several seeds."""

import functools

import numpy as np

from mtlx.components.slice_evaluation.intervals.seed_mean import SeedMean
from mtlx.components.slice_evaluation.intervals.seeds import SeedMeans
from mtlx.components.slice_evaluation.metrics.metric import Scale
from mtlx.components.slice_evaluation.metrics.score_bins import ScoreBins
from mtlx.components.slice_evaluation.models.model_seeds import ModelSeeds
from mtlx.components.slice_evaluation.statistics.estimates import (
    error_estimate,
    mean_difference,
    mean_estimate,
)
from mtlx.components.slice_evaluation.statistics.paired_auc import (
    Estimate,
    auc_difference,
    auc_estimate,
    relaimp,
    with_curve,
)
from mtlx.components.slice_evaluation.statistics.spread import Spread


class Estimator:
    """Values, differences and ratios with their intervals, of one task and slice at a time.

    Where the candidate was trained from several seeds, all is of means over seeds, and intervals
    are over rows and seeds (`SeedMean`, `SeedMeans`); another model that was trained once counts
    as given: what chance made of it is what it is.

    All methods take the values ``(M,)`` of the scored models, their spread, and the name of a
    compared one.

    Args:
        models: those that are scored.
        confidence: of the intervals.
    """

    def __init__(self, models: ModelSeeds, confidence: float):
        self._confidence = confidence
        self._places = {name: models.places(name) for name in models.compared}
        self._candidate = self._places[models.compared[0]]

    def auc(self, values: np.ndarray, spread: Spread, model: str) -> Estimate:
        """An AUC."""
        own = self._places[model]
        if len(own) == 1:
            return auc_estimate(values[own[0]], spread, own[0], self._confidence)
        return self._mean(values, spread, own, "logit")

    def mean(self, values: np.ndarray, spread: Spread, model: str, scale: Scale) -> Estimate:
        """A metric that is a mean, or is made of such."""
        own = self._places[model]
        if len(own) > 1:
            return self._mean(values, spread, own, scale)
        (place,) = own
        at = functools.partial(mean_estimate, values[place], spread, place, scale=scale)
        return with_curve(at, self._confidence)

    def error(
        self, values: np.ndarray, spread: Spread, model: str, bins: ScoreBins, at: tuple[int, int]
    ) -> Estimate:
        """An error of calibration.

        Args:
            values: of the scored models.
            spread: of them.
            model: name.
            bins: of all slices.
            at: number of the slice and of the task.
        """
        number, task = at
        own = self._places[model]
        chance, by_row = (a[number, own, task] for a in (bins.chance, bins.row_variance))
        if len(own) > 1:
            variances = np.array([spread.variance(place) for place in own])
            excess = np.divide(variances, by_row, out=np.ones_like(by_row), where=by_row > 0)
            floor = float((chance * np.sqrt(np.maximum(excess, 1.0))).mean())
            return self._mean(values, spread, own, "linear", floor)
        (place,) = own
        return with_curve(
            lambda c: error_estimate(values[place], spread, place, c, chance[0], by_row[0]),
            self._confidence,
        )

    def auc_difference(self, values: np.ndarray, spread: Spread, model: str) -> Estimate:
        """The candidate's AUC minus another model's."""
        if len(self._candidate) > 1:
            return self._difference(values, spread, model)
        (place,) = self._places[model]
        return auc_difference(values[[0, place]], spread, place, self._confidence)

    def difference(self, values: np.ndarray, spread: Spread, model: str, scale: Scale) -> Estimate:
        """The candidate's metric minus another model's."""
        if len(self._candidate) > 1:
            return self._difference(values, spread, model)
        (place,) = self._places[model]
        at = functools.partial(mean_difference, values[[0, place]], spread, place, scale=scale)
        return with_curve(at, self._confidence)

    def relaimp(
        self, values: np.ndarray, spread: Spread, model: str, title: str = "AUC"
    ) -> Estimate:
        """RelaImp over another model in percent; `title` is what is called an AUC."""
        if len(self._candidate) == 1:
            (place,) = self._places[model]
            return relaimp(values[[0, place]], spread, place, self._confidence, title)
        both = [*self._candidate, *self._places[model]]
        if not np.isfinite(values[both]).all():
            return Estimate()
        found = Estimate()
        if np.isfinite(spread.covariance[np.ix_(both, both)]).all():
            found = self._means(values, spread, both).relaimp(self._confidence, title)
        reason = spread.obstacle()
        return Estimate(found.value, reason=reason) if reason else found

    def _mean(
        self, values: np.ndarray, spread: Spread, own: list[int], scale: Scale, floor: float = 0.0
    ) -> Estimate:
        if not np.isfinite(values[own]).all():
            return Estimate()
        if reason := spread.obstacle():
            return Estimate(float(values[own].mean()), reason=reason)
        # The variance through rows is about that of each; the one that is known least counts.
        degrees = min(spread.degrees_of_auc(place) for place in own)
        covariance = spread.covariance[np.ix_(own, own)]
        found = SeedMean.of_models(values[own], covariance, degrees)
        if scale == "logit" and not found.of_seeds + found.of_rows > 0:
            reason = f"all {spread.counted} are alike, so the spread is unknown"
            return Estimate(found.mean, reason=reason)
        return found.estimate(self._confidence, scale, floor)

    def _difference(self, values: np.ndarray, spread: Spread, model: str) -> Estimate:
        other = self._places[model]
        both = [*self._candidate, *other]
        if not np.isfinite(values[both]).all():
            return Estimate()
        if reason := spread.obstacle():
            gap = values[self._candidate].mean() - values[other].mean()
            return Estimate(float(gap), reason=reason)
        return self._means(values, spread, both).difference(self._confidence)

    def _means(self, values: np.ndarray, spread: Spread, both: list[int]) -> SeedMeans:
        return SeedMeans.of_models(
            values[both],
            spread.covariance[np.ix_(both, both)],
            len(self._candidate),
            spread.degrees_of_difference,
        )
