"""Negatives of a task that are drawn, so that a training reads fewer rows."""

import math
from typing import Any, Literal

import pydantic

from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.rows.weight import without_unused


class Sampling(Settings):
    """Trains on a share of the rows on which a task's label is 0.

    Each such row of the train split is kept with probability w, `negatives`. With `correction`
    ``weights`` it counts 1/w times where it is kept. A sum over the rows that are kept is then, on
    the mean, the same sum over all rows, whatever is summed up (Horvitz and Thompson 1952). So
    every task's loss is estimated without bias: that of the sampled task, of tasks on other rows,
    and of tasks on the rows where the sampled one happened, all of which are kept and count once.
    What the model learns, and serves, are the probabilities of the log: nothing is left to be
    corrected.

    With ``logit`` the sampled task learns the odds of the rows that are kept, which are 1/w times
    those of the log, and ln(w) is added to its logit wherever the model predicts: in validation, in
    the exported graph, and so in all that scores. That is right for this task alone, and for losses
    whose best logit is that of the odds: a task beside it or after it on all rows has lost a share
    of its negatives that depends on the row, and keeps the weights 1/w. Losses that tie tasks
    together and networks that compose probabilities are refused.

    The rows of the validation and of the test split are all kept.

    Attributes:
        task: whose label is looked at.
        negatives: w, above 0; 1 keeps all.
        correction: how the task's probabilities stay those of the log: by ``weights`` 1/w of the
            rows that were drawn, or by ln w on its ``logit``, which is exported.
        seed: of the draw; a row is drawn by its place in its file, the same in every run.
    """

    task: str
    negatives: float
    correction: Literal["weights", "logit"] = "weights"
    seed: int = 1

    @pydantic.model_serializer(mode="wrap")
    def _as_before(self, serialize: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what is not used, so that nothing of an earlier version is made anew."""
        return without_unused(serialize(self), {"correction": "weights"})

    @property
    def corrects_logit(self) -> bool:
        """Whether the task's logit is to be corrected."""
        return self.correction == "logit" and self.negatives < 1.0

    @pydantic.field_validator("negatives")
    @classmethod
    def _is_a_share(cls, value: float) -> float:
        if not (math.isfinite(value) and 0.0 < value <= 1.0):
            raise ValueError(
                "should be a share above 0 and up to 1: 0.1 keeps a tenth of the negatives, and "
                f"without any there is nothing to tell positives from. Received: {value!r}"
            )
        return value
