"""Two models' scores on made-up clicks of made-up users, of which the true AUCs are known."""

import functools
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.slices import SliceColumn

#: Rows from which the true AUCs are computed: their error is a tenth of the least one simulated.
_TRUTH_ROWS, _TRUTH_USERS = 4_000_000, 400_000


@dataclass(frozen=True)
class Scorers:
    """How rows are drawn.

    A row's score is gain · label + its user's effect + noise of the row, both of which the models
    share, + an effect of the user and noise of the row of each model's own (it knows some users
    better than the other does). A user's propensity for label 1 goes with the shared effect.

    Attributes:
        rows: of one test split.
        users: 0 makes every row a user of its own.
        share: of label 1 where a user's effect is 0.
        gains: of candidate and baseline; equal ones make equally good models.
        score_effect: standard deviation of a user's effect on the scores.
        own_effect: of a user's effect on one model's scores alone.
        label_effect: of that on the log odds of label 1.
        correlation: of the shared effect and that on the label.
        heaviness: a user's weight is 1 / rank to this power; 0 makes users alike.
        levels: of the scores, None leaves them without ties.
        differing: share of the rows that the baseline scores otherwise than the candidate.
    """

    rows: int
    users: int = 0
    share: float = 0.267
    gains: tuple[float, float] = (1.0, 1.0)
    score_effect: float = 0.7
    own_effect: float = 0.4
    label_effect: float = 0.8
    correlation: float = 0.5
    heaviness: float = 0.0
    levels: int | None = None
    differing: float = 1.0

    def draw(
        self, rng: np.random.Generator, trials: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns labels ``(K, N)`` bool, scores ``(2, K, N)`` float32, users ``(K, N)`` uint64."""
        shape = (trials, self.rows)
        log_odds = np.full(shape, np.log(self.share / (1 - self.share)))
        score = 0.8 * rng.normal(size=shape)
        users = np.broadcast_to(np.arange(self.rows), shape)
        if self.users:
            weight = (1.0 + np.arange(self.users)) ** -self.heaviness
            edges = np.cumsum(weight / weight.sum())[:-1]
            users = np.searchsorted(edges, rng.random(shape))
            common, own = rng.normal(size=(2, trials, self.users))
            effect = self.correlation * common + np.sqrt(1 - self.correlation**2) * own
            log_odds += self.label_effect * np.take_along_axis(common, users, axis=1)
            score += self.score_effect * np.take_along_axis(effect, users, axis=1)
        labels = rng.random(shape) < 1 / (1 + np.exp(-log_odds))
        scores = np.stack([self._scores(rng, gain, labels, score, users) for gain in self.gains])
        if self.differing < 1.0:
            scores[1] = np.where(rng.random(shape) < self.differing, scores[1], scores[0])
        if self.levels:
            scores = np.round(scores * self.levels) / self.levels
        return labels, scores.astype(np.float32), users.astype(np.uint64)

    def _scores(
        self,
        rng: np.random.Generator,
        gain: float,
        labels: np.ndarray,
        score: np.ndarray,
        users: np.ndarray,
    ) -> np.ndarray:
        """Of one model, ``(K, N)`` float64 in (0, 1)."""
        score = gain * labels + score + 0.6 * rng.normal(size=labels.shape)
        if self.users:
            effect = self.own_effect * rng.normal(size=(len(labels), self.users))
            score += np.take_along_axis(effect, users, axis=1)
        return 1 / (1 + np.exp(-score))

    def truth(self) -> np.ndarray:
        """Returns the AUCs ``(2,)`` among all rows of all users there could be."""
        users = _TRUTH_USERS if self.users else 0
        # How many rows a user has does not change what they are like.
        return _true_aucs(replace(self, rows=_TRUTH_ROWS, users=users, heaviness=0.0))


@functools.cache
def _true_aucs(everything: Scorers) -> np.ndarray:
    labels, scores, _ = everything.draw(np.random.default_rng(1), 1)
    positives = labels.sum()
    pairs = positives * (labels.size - positives)
    sums = np.array([stats.rankdata(score[0])[labels[0]].sum() for score in scores])
    return (sums - positives * (positives + 1) / 2) / pairs


def batch_of_trials(labels: np.ndarray, scores: np.ndarray, users: np.ndarray) -> EvaluationBatch:
    """A batch with one slice per trial, so that all are evaluated at once.

    Args:
        labels: ``(K, N)`` bool.
        scores: ``(M, K, N)`` float32.
        users: ``(K, N)`` uint64.
    """
    trials, rows = labels.shape
    keys = tuple((("trial", str(number)),) for number in range(trials))
    return EvaluationBatch(
        [SliceColumn(np.repeat(np.arange(trials), rows), keys)],
        labels.reshape(1, -1),
        np.ones((1, labels.size), bool),
        scores.reshape(len(scores), 1, -1),
        users.ravel(),
    )
