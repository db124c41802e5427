"""Logits and probabilities of a model, which always agree."""

from collections.abc import Mapping

import keras
from keras import ops

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
