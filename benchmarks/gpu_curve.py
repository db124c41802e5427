"""The same training on a card and on the processor beside it: losses of an MMoE, step by step."""

from typing import Any

import numpy as np

from benchmarks.gpu_steps import VALUES, build
from benchmarks.jax_step import JaxStep
from benchmarks.step_models import DOMAINS, FIELDS, TASKS, Batch

MEMBER = "mmoe"


def planted(size: int, steps: int, values: int = VALUES) -> list[Batch]:
    """Batches whose labels follow weights of the fields' values, other ones for each task."""
    random = np.random.default_rng(0)
    weights = random.normal(0.0, 1.0, (len(TASKS), FIELDS, values)) / np.sqrt(FIELDS) * 2
    of_domain = random.normal(0.0, 0.5, (len(TASKS), len(DOMAINS)))
    batches = []
    for _ in range(steps):
        ids = random.integers(3, values, (size, FIELDS))
        domains = random.integers(0, len(DOMAINS), size)
        reached = np.ones(size, bool)
        batch = {f"field_{place}": ids[:, place].astype("int32") for place in range(FIELDS)}
        batch["domain_id"] = domains.astype("int32")
        for place, task in enumerate(TASKS):
            logits = weights[place, np.arange(FIELDS), ids].sum(axis=1) + of_domain[place, domains]
            reached = reached & (random.random(size) < 1 / (1 + np.exp(-logits)))
            batch[task.label] = reached.astype("int32")
        batches.append(batch)
    return batches


def curve(step: JaxStep, matmul: str | None, device: Any, batches: list[Batch]) -> np.ndarray:
    """Losses ``(steps,)`` float32, each before its step.

    Args:
        step: with the weights to begin with, which stay as they are.
        matmul: precision of JAX's products; None for what the device does by itself.
        device: a JAX device.
        batches: one a step.
    """
    import jax

    state = jax.device_put(step.state, device)
    placed = [jax.device_put(batch, device) for batch in batches]
    with jax.default_matmul_precision(matmul):
        run = jax.jit(step).lower(state, placed[0]).compile()
    losses = []
    for batch in placed:
        value, state = run(state, batch)
        losses.append(value)
    return np.asarray([float(value) for value in losses], "float32")


def curves(device: Any, size: int, steps: int) -> dict[str, np.ndarray]:
    """On the processor in full float32, and on the device in full, usual and half precision."""
    import jax

    processor = jax.devices("cpu")[0]
    with jax.default_device(processor):
        full, half = (build(MEMBER, precision)[0] for precision in ("float32", "bfloat16"))
    batches = planted(size, steps)
    return {
        "processor, float32": curve(full, "highest", processor, batches),
        "card, float32": curve(full, "highest", device, batches),
        "card, float32 as by default": curve(full, None, device, batches),
        "card, bfloat16": curve(half, None, device, batches),
    }


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference of two curves, as a share of the second."""
    return float(np.max(np.abs(one - other) / np.abs(other)))
