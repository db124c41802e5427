"""What a gated network tells of its gates: each expert's weight, and what it adds to the mix."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

#: Prefix of the outputs that hold a task's gate weights ``(B, n)``.
GATES = "gates/"
#: Prefix of the outputs that hold a task's contributions ``(B, n)``, see `contributions`.
CONTRIBUTIONS = "contributions/"


def contributions(weights: keras.KerasTensor, experts: keras.KerasTensor) -> keras.KerasTensor:
    """How much each expert adds to each gate's mix: c_e = |w_e| RMS(E_e), as a share of Σ c_e.

    A weight alone does not say it: a gate may give half of its weight to an expert whose output
    is a hundredth of the others'. The shares of a row sum to 1 for each gate, as its weights do,
    or are all 0 where nothing is added.

    Args:
        weights: ``(B, G, E)``, with all factors that an expert's output is multiplied by.
        experts: ``(B, E, h)``, or ``(B, E)``, their `sizes`.

    Returns:
        ``(B, G, E)`` float32.
    """
    found = experts if len(experts.shape) == 2 else sizes(experts)
    added = ops.abs(ops.cast(weights, "float32")) * found[:, None]
    total = ops.sum(added, axis=-1, keepdims=True)
    return ops.where(total > 0, added / ops.where(total > 0, total, 1.0), 0.0)


def sizes(experts: keras.KerasTensor) -> keras.KerasTensor:
    """Root mean square of every expert's output, ``(B, E, h)`` to ``(B, E)`` float32."""
    # Squares of float16 values overflow.
    return ops.sqrt(ops.mean(ops.square(ops.cast(experts, "float32")), axis=-1))


def gate_outputs(
    gates_of_task: Mapping[str, Sequence[int]],
    weights: keras.KerasTensor,
    shares: keras.KerasTensor,
    visible: np.ndarray | None = None,
) -> dict[str, keras.KerasTensor]:
    """The outputs of a network that report its gates.

    Args:
        gates_of_task: by task the gates that it reads, whose values come one after the other.
        weights: ``(B, G, E)``.
        shares: ``(B, G, E)``, their `contributions`.
        visible: ``(G, E)``, which experts each gate sees; None for all.

    Returns:
        "gates/<task>" and "contributions/<task>", ``(B, n)`` each: of the experts that the task's
        gates see.
    """
    outputs = {}
    for prefix, values in ((GATES, weights), (CONTRIBUTIONS, shares)):
        for task, gates in gates_of_task.items():
            parts = [_seen(values, gate, visible) for gate in gates]
            outputs[prefix + task] = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=1)
    return outputs


def _seen(values: keras.KerasTensor, gate: int, visible: np.ndarray | None) -> keras.KerasTensor:
    own = values[:, gate]
    if visible is None or visible[gate].all():
        return own
    return ops.take(own, np.flatnonzero(visible[gate]), axis=1)
