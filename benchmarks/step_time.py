"""Examples per second of a training step, for every part of a model, on any Keras backend.

    python -m benchmarks.step_time                      # every member, TensorFlow
    KERAS_BACKEND=jax python -m benchmarks.step_time    # a machine without TensorFlow
    python -m benchmarks.step_time --tables             # one model, tables of 10^5 to 10^7 rows

Three tasks, three domains, 20 fields of width 16; encoders read two sequences of 50 items. Encoders
and arrangements are those of an MMoE, bottoms stand between TIM and it. Sizes are the members'
defaults. On TensorFlow the step is the trainer's own; on other backends, which
have no lazy Adam, it is Keras's stateless step with Adam.
"""

import argparse
import ctypes
import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

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
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.contract.model_inputs import ModelInputs


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    console = Console(width=110)
    if arguments.tables:
        console.print(_table_sizes(arguments.steps))
        return
    names = arguments.members or member_names()
    table = Table("member", "parameters", title=f"Examples/s, {keras.backend.backend()}")
    for size in arguments.batch:
        table.add_column(f"batch {size:,}", justify="right")
    table.add_column("peak MiB", justify="right")
    for name in names:
        if not trains_by_gradient(name):
            continue
        settings = settings_of(name)
        inputs = inputs_of(1000, sequences=settings.sequence_encoder != "none")
        rates, parameters = [], 0
        _forget_peak()
        for size in arguments.batch:
            step, parameters = _make_step(inputs, settings, "adam", size)
            rates.append(f"{size / _seconds(step, arguments.steps):,.0f}")
            del step
        table.add_row(name, f"{parameters:,}", *rates, f"{_peak():,.0f}")
        print(name, *rates, flush=True)
    console.print(table)


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
    parser.add_argument("--tables", action="store_true", help="measure table sizes instead")
    return parser.parse_args()


def _make_step(
    inputs: ModelInputs, settings: ModelSettings, optimizer: str, size: int
) -> tuple[Callable[[], object], int]:
    """A step on one fixed batch, and the model's trainable parameters."""
    keras.utils.set_random_seed(1)
    model = ARRANGEMENTS.get(settings.arrangement)(inputs, settings)
    parameters = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    make = _tensorflow_step if keras.backend.backend() == "tensorflow" else _jax_step
    return make(model, batch_of(inputs, size), optimizer), parameters


def _tensorflow_step(model: keras.Model, batch: Batch, optimizer: str) -> Callable[[], object]:
    import tensorflow as tf

    from mtlx.trainer.examples import traced_once
    from mtlx.trainer.training import ordinary_step

    # What the steps of a long training take.
    traced_once.WHOLE_AFTER = 0
    rows = len(next(iter(batch.values())))
    training = TrainingSettings(optimizer=optimizer, batch_size=rows)
    step = ordinary_step.OrdinaryStep(model, TASKS, training, tf.distribute.get_strategy())
    tensors = {name: tf.constant(values) for name, values in batch.items()}
    step.prepare(tensors)
    return lambda: step(tensors).numpy()


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


def _seconds(step: Callable[[], object], steps: int) -> float:
    """Median seconds of a step, after two that compile and warm up."""
    for _ in range(2):
        step()
    times = []
    for _ in range(steps):
        started = time.perf_counter()
        step()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


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
            step, _ = _make_step(inputs_of(size // FIELDS, False), settings, optimizer, 2048)
            seconds.append(_seconds(step, max(steps, 15)))
            del step
        cells = [f"{1000 * value:.1f}" for value in seconds]
        table.add_row(optimizer, *cells, f"{seconds[-1] / seconds[0]:.2f}×")
    return table


if __name__ == "__main__":
    main()
