"""Two models' scores on made-up requests of made-up users, whose true metrics are known."""

import functools
from dataclasses import dataclass, replace

import numpy as np

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.metrics.chosen_metrics import ChosenMetrics
from mtlx.components.slice_evaluation.slices import SliceColumn
from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.components.slice_evaluation.units.row_block import RowBlock
from mtlx.components.slice_evaluation.units.second_pass import (
    Moments,
    SecondPass,
    add_moments,
)

#: Users of whom the true metrics are measured, at most; fewer where pairs of all rows are counted.
_TRUTH_USERS, _TRUTH_USERS_OF_NUMBERS = 40_000, 8_000
#: And so many times a trial's: the truth's own error is a twentieth of a trial's, which changes how
#: often an interval of 95 % holds it by 0.03 %.
_TIMES_OF_A_TRIAL = 400


@dataclass(frozen=True)
class Requests:
    """How test splits are drawn.

    A row's log odds are the sum of what the models see, a user's own effect and the base rate; a
    model adds noise to what it sees, and is off by a factor.

    Attributes:
        users: number.
        requests: of each user.
        rows: of each request.
        share: of positives where all effects are 0.
        noises: standard deviation of each model's noise.
        scales: by which each model's log odds are too large.
        user_effect: standard deviation of a user's log odds, of which models see half.
        weighted: whether rows weigh 0.5 to 2.
        numbers: whether labels are numbers, the log odds with noise.
    """

    users: int
    requests: int = 3
    rows: int = 8
    share: float = 0.25
    noises: tuple[float, float] = (0.5, 0.5)
    scales: tuple[float, float] = (1.5, 1.5)
    user_effect: float = 0.7
    weighted: bool = False
    numbers: bool = False

    def draw(self, rng: np.random.Generator, trials: int) -> EvaluationBatch:
        """Returns a batch with one slice per trial, so that all are evaluated at once."""
        shape = (trials, self.users, self.requests, self.rows)
        user = self.user_effect * rng.normal(size=(*shape[:2], 1, 1))
        seen = rng.normal(size=shape) + np.log(self.share / (1 - self.share))
        odds = seen + user
        if self.numbers:
            labels = odds + 0.8 * rng.normal(size=shape)
        else:
            labels = rng.random(shape) < 1 / (1 + np.exp(-odds))
        scores = []
        for noise, scale in zip(self.noises, self.scales, strict=True):
            score = scale * (seen + 0.5 * user + noise * rng.normal(size=shape))
            scores.append(score if self.numbers else 1 / (1 + np.exp(-score)))
        trial, users, requests, _ = np.indices(shape, sparse=True)
        of_user = np.broadcast_to(trial * self.users + users + 1, shape)
        keys = tuple((("trial", str(number)),) for number in range(trials))
        slices = np.repeat(np.arange(trials), shape[1] * shape[2] * shape[3])
        weights = 0.5 * 4.0 ** rng.random(shape) if self.weighted else np.ones(shape)
        return EvaluationBatch(
            [SliceColumn(slices, keys)],
            labels.reshape(1, -1),
            weights.reshape(1, -1),
            np.stack(scores).reshape(len(scores), 1, -1).astype(np.float32),
            of_user.ravel().astype(np.uint64),
            requests=np.broadcast_to(requests + 1, shape).ravel().astype(np.uint64),
        )

    def truth(self, metrics: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Returns each metric's values ``(M,)`` among all users there could be."""
        most = _TRUTH_USERS_OF_NUMBERS if self.numbers else _TRUTH_USERS
        users = min(most, _TIMES_OF_A_TRIAL * self.users)
        return _truth(replace(self, users=users), metrics)


@functools.cache
def _truth(everything: Requests, metrics: tuple[str, ...]) -> dict[str, np.ndarray]:
    second, _, moments = passes(everything.draw(np.random.default_rng(1), 1), metrics, everything)
    _, measured = second.measured(moments[0], moments[1], "user")
    return {name: measured[name].values[0, :, 0] for name in metrics}


def passes(
    batch: EvaluationBatch, metrics: tuple[str, ...], drawn: Requests
) -> tuple[SecondPass, ChosenMetrics, tuple[Moments, dict]]:
    """Both passes of the evaluation over a batch, with users as clusters.

    Returns:
        The second pass, the metrics, the moments and the totals of units.
    """
    chosen = ChosenMetrics(metrics)
    regressions = frozenset((0,)) if drawn.numbers else frozenset()
    totals = SliceTotals(len(batch.scores), 1, len(batch.slices[0].keys), regressions)
    totals.add(batch)
    second = SecondPass(totals, chosen)
    sums = second.paired.cluster_sums(batch)
    moments = add_moments({}, second.paired.all_moments_of_clusters(sums))
    if not second.units.metrics:
        return second, chosen, (moments, {})
    terms = second.units.terms(RowBlock.of_batch(batch, totals))
    units = second.units.totals(terms)
    add_moments(moments, second.units.moments(terms, units))
    return second, chosen, (moments, units)
