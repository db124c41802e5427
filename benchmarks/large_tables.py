"""Milliseconds of a training step against the rows of its embedding table, to 10^8 rows.

    python -m benchmarks.large_tables                                # 10^5 to 10^8 rows, 5 GiB
    python -m benchmarks.large_tables --rows 100000 10000000         # with less memory
    python -m benchmarks.large_tables --set average=0.99 clip_norm=1.0 l2=0.0001

A Shared-Bottom of three tasks over 20 fields with lazy Adam takes batches of 2,048 rows, whose ids
are drawn evenly from the whole table, other ones at every step. All sizes take turns within one
process, so that what else the machine does falls on all of them alike; medians of all turns, of
the wall clock and of the seconds that all threads computed, which others disturb less.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

import keras
import tensorflow as tf
import yaml

from benchmarks import peak_memory
from benchmarks.step_models import FIELDS, TASKS, batch_of, inputs_of
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.ordinary_step import OrdinaryStep

_BATCH, _BATCHES = 2048, 16
#: Steps of one turn; the first finds the caches as the size before it has left them.
_TURN = 5


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = {name: yaml.safe_load(text) for name, text in map(_pair, arguments.set)}
    steps = {rows: _step(rows, arguments.width, options) for rows in sorted(arguments.rows)}
    times: dict[int, list[tuple[float, float]]] = {rows: [] for rows in steps}
    for step in steps.values():
        _turn(step)  # traces
    for _ in range(arguments.turns):
        for rows, step in steps.items():
            times[rows] += _turn(step)
    medians = {
        rows: [statistics.median(each) for each in zip(*found, strict=True)]
        for rows, found in times.items()
    }
    first = next(iter(medians.values()))
    print(
        f"| rows × {arguments.width} | table and moments, MiB | ms per step | of the first "
        "| ms computed | of the first |"
    )
    print("|---|---|---|---|---|---|")
    for rows, found in medians.items():
        size = 3 * rows * arguments.width * 4 / 2**20
        cells = [
            f"{1000 * seconds:.1f} | {seconds / least:.2f}×"
            for seconds, least in zip(found, first, strict=True)
        ]
        print(f"| {rows:,} | {size:,.0f} | {' | '.join(cells)} |")
    print(f"\nPeak memory of the process {peak_memory.peak_mebibytes():,.0f} MiB.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10**5, 10**6, 10**7, 10**8])
    parser.add_argument("--width", type=int, default=4, help="numbers of an embedding")
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--set", nargs="*", default=[], help="training settings, name=value")
    return parser.parse_args()


def _pair(text: str) -> list[str]:
    return text.split("=", 1)


def _step(rows: int, width: int, options: dict[str, object]) -> Callable[[], object]:
    """Takes a step, on the next batch."""
    inputs = inputs_of(rows // FIELDS, sequences=False)
    settings = ModelSettings(network="shared_bottom", sequence_encoder="none", embedding_size=width)
    training = TrainingSettings.read({"optimizer": "lazy_adam", "batch_size": _BATCH, **options})
    keras.utils.set_random_seed(1)
    model = ARRANGEMENTS.get(settings.arrangement)(inputs, settings)
    step = OrdinaryStep(model, TASKS, training, tf.distribute.get_strategy())
    batches = [
        {name: tf.constant(values) for name, values in batch_of(inputs, _BATCH, seed).items()}
        for seed in range(_BATCHES)
    ]
    step.prepare(batches[0])
    taken = 0

    def take() -> object:
        nonlocal taken
        taken += 1
        return step(batches[taken % _BATCHES]).numpy()

    return take


def _turn(step: Callable[[], object]) -> list[tuple[float, float]]:
    """Seconds of the steps of a turn but the first: those that passed, and those computed."""
    seconds = []
    for _ in range(_TURN):
        started, computed = time.perf_counter(), time.process_time()
        step()
        seconds.append((time.perf_counter() - started, time.process_time() - computed))
    return seconds[1:]


if __name__ == "__main__":
    main()
