"""Negatives of a task that are drawn, so that a training reads fewer rows."""

import math

import pydantic

from mtlx.transform.config.settings import Settings


class Sampling(Settings):
    """Trains on a share of the rows on which a task's label is 0.

    Each such row of the train split is kept with probability w, `negatives`, and counts 1/w times
    where it is kept. A sum over the rows that are kept is then, on the mean, the same sum over all
    rows, whatever is summed up (Horvitz and Thompson 1952). So every task's loss is estimated
    without bias: that of the sampled task, of tasks on other rows, and of tasks on the rows where
    the sampled one happened, all of which are kept and count once. What the model learns, and
    serves, are the probabilities of the log: nothing is left to be corrected. To learn the odds of
    the rows that are kept, which are 1/w times those of the log, and to add ln(w) to the logit
    would be right for the sampled task alone: a task beside it or after it on all rows has lost a
    share of its negatives that depends on the row. Where positives are rare, the variance of the
    two is the same, 1 + p/w times that of all rows.

    The rows of the validation and of the test split are all kept.

    Attributes:
        task: whose label is looked at.
        negatives: w, above 0; 1 keeps all.
        seed: of the draw; a row is drawn by its place in its file, the same in every run.
    """

    task: str
    negatives: float
    seed: int = 1

    @pydantic.field_validator("negatives")
    @classmethod
    def _is_a_share(cls, value: float) -> float:
        if not (math.isfinite(value) and 0.0 < value <= 1.0):
            raise ValueError(
                "should be a share above 0 and up to 1: 0.1 keeps a tenth of the negatives, and "
                f"without any there is nothing to tell positives from. Received: {value!r}"
            )
        return value
