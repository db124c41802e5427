"""Examples per second of a training step, for every part of a model, on any Keras backend.

    python -m benchmarks.step_time                      # every member, TensorFlow
    python -m benchmarks.step_time mmoe --precision float32 bfloat16
    KERAS_BACKEND=jax python -m benchmarks.step_time    # a machine without TensorFlow
    python -m benchmarks.step_time --tables             # one model, tables of 10^5 to 10^7 rows

Three tasks, three domains, 20 fields of width 16; encoders read two sequences of 50 items. Encoders
and arrangements are those of an MMoE, bottoms stand between TIM and it. Sizes are the members'
defaults. On TensorFlow the step is the trainer's own, and its share of the machine's matmul rate is
told: operations of its matrix products, by its seconds, by what `tf.matmul` of 2,048 x 2,048
reaches in the same precision, measured between the steps. On other backends, which have no lazy
Adam, it is Keras's stateless step with Adam. Where other work takes the cores, `--clock processor`
counts seconds of the processor instead, which do not tell of a core that waits for the other.
"""

import argparse
import ctypes
import gc
import itertools
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.step_models import (
    FIELDS,
    TASKS,
    Batch,
    batch_of,
    inputs_of,
    member_names,
    settings_of,
    trains_by_gradient,
)
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import ModelInputs

if TYPE_CHECKING:  # On other backends there is no TensorFlow.
    from benchmarks.step_flops import MatmulRate

#: Keras's name of each precision.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
_Clock = Callable[[], float]
#: What tells seconds.
CLOCKS: dict[str, _Clock] = {"wall": time.perf_counter, "processor": time.process_time}


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    console = Console(width=110)
    if arguments.tables:
        console.print(_table_sizes(arguments.steps))
        return
    names = [name for name in arguments.members or member_names() if trains_by_gradient(name)]
    shown = len(arguments.precision) > 1
    columns = ["part", "parameters", *(["precision"] if shown else [])]
    for size in arguments.batch:
        columns += [f"batch {size:,}", *(["share of matmul"] if _on_tensorflow() else [])]
    lines = [_line(*columns, "peak MiB"), _line(*["---"] * (len(columns) + 1))]
    print(*lines, sep="\n", flush=True)
    clock = CLOCKS[arguments.clock]
    for name, precision in itertools.product(names, arguments.precision):
        _forget_peak()
        parameters, cells = _measured(name, precision, arguments.batch, arguments.steps, clock)
        said = [precision] if shown else []
        line = _line(f"`{name}`", f"{parameters:,}", *said, *cells, f"{_peak():,.0f}")
        print(line, flush=True)


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _on_tensorflow() -> bool:
    return keras.backend.backend() == "tensorflow"


def _measured(
    name: str, precision: str, batches: list[int], steps: int, clock: _Clock
) -> tuple[int, list[str]]:
    """A member's parameters, and by batch size its examples/s and its share of the matmul rate."""
    parameters, cells = 0, []
    keras.config.set_dtype_policy(POLICIES[precision])
    try:
        for size in batches:
            step = make_step(name, size)
            parameters = step.parameters
            rate = None if step.flops is None else _matmul_rate(precision, clock)
            seconds = median_seconds(
                step.take, steps, clock, None if rate is None else rate.measure
            )
            cells.append(f"{size / seconds:,.0f}")
            if step.flops is not None and rate is not None:
                cells.append(f"{step.flops() / seconds / rate.flops_per_second:.0%}")
            del step
    finally:
        keras.config.set_dtype_policy("float32")
    return parameters, cells


def _matmul_rate(precision: str, clock: _Clock) -> "MatmulRate":
    from benchmarks.step_flops import MatmulRate

    return MatmulRate(precision, clock)


def _forget_peak() -> None:
    """Lets the kernel measure the process's peak memory anew, without the model before."""
    keras.backend.clear_session()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> float:
    """The process's largest resident memory since `_forget_peak`, in MiB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this kernel does not tell a process's peak memory")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("members", nargs="*", help="networks or encoders; all by default")
    parser.add_argument("--batch", type=int, nargs="+", default=[2048, 8192])
    parser.add_argument("--steps", type=int, default=5, help="timed steps; the median counts")
    parser.add_argument("--precision", nargs="+", choices=list(POLICIES), default=["float32"])
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="what is counted")
    parser.add_argument("--tables", action="store_true", help="measure table sizes instead")
    return parser.parse_args()


@dataclass(frozen=True)
class Step:
    """A step to be timed.

    Attributes:
        take: takes it, on one fixed batch.
        parameters: trainable ones of the model.
        flops: counts the operations of its matrix products, by taking further steps; None where
            nothing does.
    """

    take: Callable[[], object]
    parameters: int
    flops: Callable[[], float] | None = None


def make_step(name: str, size: int) -> Step:
    """A member's step with Adam, on one fixed batch of so many rows."""
    settings = settings_of(name)
    inputs = inputs_of(1000, sequences=settings.sequence_encoder != "none")
    return _make_step(inputs, settings, "adam", size)


def _make_step(inputs: ModelInputs, settings: ModelSettings, optimizer: str, size: int) -> Step:
    """A step on one fixed batch."""
    keras.utils.set_random_seed(1)
    model = ARRANGEMENTS.get(settings.arrangement)(inputs, settings)
    parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    batch = batch_of(inputs, size)
    if not _on_tensorflow():
        return Step(_jax_step(model, batch, optimizer), parameters)
    from benchmarks.trainer_step import trainer_step

    take, flops = trainer_step(model, TASKS, batch, optimizer)
    return Step(take, parameters, flops)


def _jax_step(model: keras.Model, batch: Batch, optimizer: str) -> Callable[[], object]:
    import jax

    from benchmarks.jax_step import JaxStep

    if optimizer != "adam":
        raise ValueError(f"{optimizer} is the TensorFlow trainer's; on JAX there is adam")
    step = JaxStep(model)
    run = jax.jit(step)
    held = [step.state]

    def take() -> None:
        value, held[0] = run(held[0], batch)
        value.block_until_ready()

    return take


def median_seconds(
    step: Callable[[], object],
    steps: int,
    clock: _Clock = time.perf_counter,
    between: Callable[[], None] | None = None,
) -> float:
    """The median of `step_seconds`."""
    return statistics.median(step_seconds(step, steps, clock, between))


def step_seconds(
    step: Callable[[], object],
    steps: int,
    clock: _Clock = time.perf_counter,
    between: Callable[[], None] | None = None,
) -> list[float]:
    """Seconds of each of some steps, after two that compile and warm up."""
    for _ in range(2):
        step()
    times = []
    for _ in range(steps):
        if between is not None:
            between()
        started = clock()
        step()
        times.append(clock() - started)
    return times


def _table_sizes(steps: int) -> Table:
    """Seconds of a step of Shared-Bottom against the rows of its embedding table."""
    sizes = (10**5, 10**6, 10**7)
    table = Table("optimiser", title="Milliseconds per step of 2,048 rows, by rows of the table")
    for size in sizes:
        table.add_column(f"{size:,}", justify="right")
    table.add_column("largest / smallest", justify="right")
    kinds = ("adam", "lazy_adam") if keras.backend.backend() == "tensorflow" else ("adam",)
    settings = ModelSettings(network="shared_bottom", sequence_encoder="none")
    for optimizer in kinds:
        seconds = []
        for size in sizes:
            step = _make_step(inputs_of(size // FIELDS, False), settings, optimizer, 2048)
            seconds.append(median_seconds(step.take, max(steps, 15)))
            del step
        cells = [f"{1000 * value:.1f}" for value in seconds]
        table.add_row(optimizer, *cells, f"{seconds[-1] / seconds[0]:.2f}×")
    return table


if __name__ == "__main__":
    main()
