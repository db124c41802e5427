"""Examples per second of the trainer's input beside tf.io.parse_example per batch.

    python -m benchmarks.training_input      # after python -m benchmarks.chain --only ours

Reads the transformed examples that the benchmark of the chain left, in batches of 2,048.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf
import tensorflow_transform as tft
from rich.console import Console
from rich.table import Table

from benchmarks.chain import FOLDER
from mtlx.trainer.examples.input import ExampleSet

BATCH = 2048


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    artifacts = FOLDER / "ours" / "artifacts" / "Transform"
    files = [str(_latest(artifacts / "transformed_examples") / "Split-train" / "*")]
    graph = _latest(artifacts / "transform_graph")
    spec = tft.TFTransformOutput(str(graph)).transformed_feature_spec()
    kept = ExampleSet(files, spec, 65_536, in_memory=True)
    read = ExampleSet(files, spec, 65_536, in_memory=False)
    inputs: dict[str, Callable[[], tf.data.Dataset]] = {
        "parse_example per batch, shuffled": lambda: _stock(files, spec),
        "ours, read anew every epoch": lambda: read.epoch(BATCH, 1, 1),
        "ours, first epoch": lambda: ExampleSet(files, spec, 65_536, True).epoch(BATCH, 1, 1),
        "ours, later epochs": lambda: kept.epoch(BATCH, 1, 2),
    }
    for _ in kept.epoch(BATCH, 1, 1):
        pass
    rates = {
        name: [_rate(make()) for _ in range(arguments.repeat)] for name, make in inputs.items()
    }
    base = statistics.median(next(iter(rates.values())))
    table = Table("input", "examples/s, median", "range", "ratio")
    for name, found in rates.items():
        median = statistics.median(found)
        spread = f"{min(found):,.0f}–{max(found):,.0f}"
        table.add_row(name, f"{median:,.0f}", spread, f"{median / base:.1f}×")
    Console(width=110).print(table)


def _latest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: int(path.name))


def _stock(files: list[str], spec: dict[str, tf.io.FixedLenFeature]) -> tf.data.Dataset:
    """Shuffle records, batch, parse: the usual input function."""
    records = tf.data.TFRecordDataset(tf.io.gfile.glob(files), "GZIP")
    batches = records.shuffle(65_536).batch(BATCH)
    parsed = batches.map(
        lambda serialized: tf.io.parse_example(serialized, spec),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return parsed.prefetch(tf.data.AUTOTUNE)


def _rate(batches: tf.data.Dataset) -> float:
    started, rows = time.perf_counter(), 0
    for batch in batches:
        rows += int(next(iter(batch.values())).shape[0])
    return rows / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
