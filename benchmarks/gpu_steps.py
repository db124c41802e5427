"""What `benchmarks.gpu` measures on a card: members' steps, its matmul rate, tables of a size.

A member is built and traced in a process without the card (`prepare`), so that many are at once;
what comes back is compiled for the card (`compile_step`) and timed on it (`seconds_of`).
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np

from benchmarks.jax_step import JaxStep, State
from benchmarks.step_models import FIELDS, Batch, batch_of, inputs_of, settings_of
from mtlx.trainer.model.arrangements import ARRANGEMENTS

#: Keras's name of each precision.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
VALUES, SEED = 1000, 1


@dataclass(frozen=True)
class Job:
    """One member in one precision, at one or several batch sizes."""

    member: str
    precision: str
    batches: tuple[int, ...]


@dataclass(frozen=True)
class Prepared:
    """A job's model, traced.

    Attributes:
        state: where the training begins, in NumPy.
        steps: batch size to the step as `jax.export` writes it.
        flops: batch size to the floating-point operations of the step's matrix products.
        error: what went wrong; "" where nothing did.
        seconds: what it took.
    """

    job: Job
    state: State = ((), (), ())
    steps: Mapping[int, bytes] | None = None
    flops: Mapping[int, float] | None = None
    parameters: int = 0
    error: str = ""
    seconds: float = 0.0


def prepare(job: Job, platform: str) -> Prepared:
    """Builds and traces; an error becomes a field, so that the other jobs go on.

    Args:
        job: what to build.
        platform: JAX's name of what the step is to run on: "cuda", "cpu".
    """
    started = time.perf_counter()
    try:
        return _prepare(job, platform, started)
    except Exception as error:  # noqa: BLE001  # one member's; it is a cell of the table
        return Prepared(job, error=f"{type(error).__name__}: {error}"[:500])


def _prepare(job: Job, platform: str, started: float) -> Prepared:
    import jax
    from jax import export

    step, parameters = build(job.member, job.precision)
    steps, flops = {}, {}
    shapes = jax.tree.map(shape_of, step.state)
    for size in job.batches:
        batch = jax.tree.map(shape_of, rows(job.member, size))
        compiled = jax.jit(step)
        flops[size] = matmul_flops(compiled.trace(shapes, batch).jaxpr.jaxpr)
        steps[size] = bytes(
            export.export(compiled, platforms=[platform])(shapes, batch).serialize()
        )
    state = jax.tree.map(np.asarray, step.state)
    return Prepared(job, state, steps, flops, parameters, "", time.perf_counter() - started)


def build(member: str, precision: str, values: int = VALUES) -> tuple[JaxStep, int]:
    """A member's step with new weights, the same for both precisions, and their number."""
    keras.config.set_dtype_policy(POLICIES[precision])
    try:
        keras.utils.set_random_seed(SEED)
        settings = settings_of(member)
        inputs = inputs_of(values, sequences=settings.sequence_encoder != "none")
        model = ARRANGEMENTS.get(settings.arrangement)(inputs, settings)
        parameters = sum(math.prod(weight.shape) for weight in model.trainable_variables)
        return JaxStep(model), parameters
    finally:
        keras.config.set_dtype_policy("float32")


def reads_sequences(member: str) -> bool:
    return settings_of(member).sequence_encoder != "none"


def rows(member: str, size: int, values: int = VALUES) -> Batch:
    """One batch that a member reads, whole numbers in 32 bits."""
    batch = batch_of(inputs_of(values, reads_sequences(member)), size)
    return {name: column.astype("int32") for name, column in batch.items()}


def shape_of(array: Any) -> Any:
    import jax

    return jax.ShapeDtypeStruct(array.shape, array.dtype)


def matmul_flops(jaxpr: Any) -> float:
    """Operations of all matrix products of a traced function, those in loops each time.

    XLA's own count, which stands beside it, counts a loop's body once and not what is handed to
    a library.
    """
    total = 0.0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            depth = math.prod(left[axis] for axis in contracted)
            total += 2.0 * depth * math.prod(equation.outvars[0].aval.shape)
        times = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        for part in _inner(equation.params.values()):
            total += times * matmul_flops(part)
    return total


def _inner(parameters: Any) -> list[Any]:
    """The functions among an equation's parameters."""
    found = []
    for value in parameters:
        if isinstance(value, list | tuple):
            found += _inner(value)
        elif hasattr(value, "jaxpr"):
            found.append(value.jaxpr)
        elif hasattr(value, "eqns"):
            found.append(value)
    return found


@dataclass(frozen=True)
class Compiled:
    """A step on the card, without its state."""

    call: Callable[[State, Batch], tuple[Any, State]]
    seconds: float
    xla_flops: float
    scratch_mib: float


def compile_step(step: bytes, state: State, batch: Batch) -> Compiled:
    """For the card; the state before the step gives its memory to the one after it."""
    import jax
    from jax import export

    started = time.perf_counter()
    call = jax.jit(export.deserialize(bytearray(step)).call, donate_argnums=0)
    return compiled_of(call, state, batch, started)


def compiled_of(call: Any, state: State, batch: Batch, started: float) -> Compiled:
    import jax

    compiled = call.lower(jax.tree.map(shape_of, state), jax.tree.map(shape_of, batch)).compile()
    seconds = time.perf_counter() - started
    costs = compiled.cost_analysis() or {}
    memory = compiled.memory_analysis()
    scratch = getattr(memory, "temp_size_in_bytes", 0) / 2**20
    return Compiled(compiled, seconds, float(costs.get("flops", 0.0)), scratch)


def seconds_of(compiled: Compiled, state: State, batch: Batch, steps: int) -> tuple[float, float]:
    """Median seconds of a step in three runs of several, and the loss after them.

    Args:
        compiled: the step.
        state: in NumPy or on the card, where it is used up.
        batch: on the card.
        steps: the most in one run; a run is about a fifth of a second.
    """
    import jax

    state = jax.device_put(state)
    for _ in range(2):
        value, state = compiled.call(state, batch)
    value.block_until_ready()
    started = time.perf_counter()
    value, state = compiled.call(state, batch)
    value.block_until_ready()
    one = time.perf_counter() - started
    steps = max(1, min(steps, int(0.2 / one)))
    times = []
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(steps):
            value, state = compiled.call(state, batch)
        value.block_until_ready()
        times.append((time.perf_counter() - started) / steps)
    return statistics.median(times), float(value)


def matmul_rates(sizes: tuple[int, ...]) -> dict[str, float]:
    """Operations/s of the card's products of square matrices, the best of the sizes.

    "float32" is what a product of float32 gets when nothing is asked for, which on recent cards
    is TF32; "float32, highest" is full float32.
    """
    rates = {}
    for name, dtype, precision in (
        ("float32", "float32", None),
        ("bfloat16", "bfloat16", None),
        ("float32, highest", "float32", "highest"),
    ):
        rates[name] = max(2.0 * n**3 / _product_seconds(n, dtype, precision) for n in sizes)
    return rates


def _product_seconds(size: int, dtype: str, precision: str | None) -> float:
    import jax
    import jax.numpy as jnp

    matrix = jax.random.normal(jax.random.key(0), (size, size), dtype)
    product = jax.jit(partial(jnp.matmul, precision=precision))
    product(matrix, matrix).block_until_ready()
    times = []
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(20):
            result = product(matrix, matrix)
        result.block_until_ready()
        times.append((time.perf_counter() - started) / 20)
    return statistics.median(times)


def rounds_float32() -> float:
    """How far a float32 product is from exact, as a share: 10⁻⁷ or so, 10⁻⁴ or so in TF32."""
    import jax.numpy as jnp

    matrix = np.random.default_rng(0).normal(size=(512, 512)).astype("float32")
    exact = matrix.astype("float64") @ matrix.astype("float64")
    found = np.asarray(jnp.matmul(matrix, matrix), "float64")
    return float(np.abs(found - exact).max() / np.abs(exact).max())


def table_step(table_rows: int, size: int, steps: int) -> dict[str, float]:
    """Shared-Bottom with a table of so many rows, built on the card."""
    import jax

    values = table_rows // FIELDS
    step, _ = build("shared_bottom", "float32", values)
    batch = jax.device_put(rows("shared_bottom", size, values))
    state = step.state
    (table,) = (weight for weight in state[0] if weight.shape[0] == values * FIELDS)
    row = {"rows": table_rows, "table_mib": table.nbytes / 2**20, "batch": size}
    started = time.perf_counter()
    compiled = compiled_of(jax.jit(step, donate_argnums=0), state, batch, started)
    seconds, _ = seconds_of(compiled, state, batch, steps)
    return {**row, "step_ms": 1000 * seconds, "compile_s": compiled.seconds}
