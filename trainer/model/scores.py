"""Logits and probabilities of a model, which always agree."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from mtlx.transform.contract.model_inputs import TaskSpec

#: Probabilities of which logarithms are taken are kept so far from 0 and 1.
SMALLEST_PROBABILITY = 1e-7
#: Key of a model's outputs: ``(B, T)`` float32, ln σ of regressions of the logarithm.
LOG_DEVIATIONS = "log_deviations"


def clipped(probabilities: keras.KerasTensor) -> keras.KerasTensor:
    """Probabilities in float32, kept from 0 and 1."""
    return ops.clip(
        ops.cast(probabilities, "float32"), SMALLEST_PROBABILITY, 1.0 - SMALLEST_PROBABILITY
    )


def scores(outputs: Mapping[str, keras.KerasTensor]) -> dict[str, keras.KerasTensor]:
    """Logits and probabilities that agree, in float32 under mixed precision too.

    Args:
        outputs: of a network: "probabilities" where it composes them itself, else "logits".
    """
    if "probabilities" not in outputs:
        logits = ops.cast(outputs["logits"], "float32")
        return {"logits": logits, "probabilities": ops.sigmoid(logits)}
    probabilities = clipped(outputs["probabilities"])
    return {
        "logits": ops.log(probabilities) - ops.log1p(-probabilities),
        "probabilities": probabilities,
    }


def of_the_log(
    found: Mapping[str, keras.KerasTensor], tasks: tuple[TaskSpec, ...]
) -> dict[str, keras.KerasTensor]:
    """Scores at the log's own rates, of those at the rates of the rows that train.

    Of a task whose negatives were kept with probability w the odds among these are 1/w times the
    log's: ln w is added to its logit (King and Zeng 2001, prior correction).

    Args:
        found: "logits" and "probabilities" ``(B, T)`` float32.
        tasks: in their order.
    """
    kept = np.array([task.kept_negatives for task in tasks])
    if (kept == 1.0).all():
        return dict(found)
    logits = found["logits"] + np.log(kept).astype("float32")
    return {**found, "logits": logits, "probabilities": ops.sigmoid(logits)}


def probabilities_of_the_log(probabilities: np.ndarray, kept: float) -> np.ndarray:
    """The same of probabilities ``(n,)`` of one task, of whose negatives a share was kept."""
    return kept * probabilities / (1.0 - probabilities + kept * probabilities)
