"""Memory that a large table takes besides itself: while it is saved, restored and exported.

    python -m benchmarks.table_memory                  # 2 × 10^7 rows of 4 numbers
    python -m benchmarks.table_memory --rows 100000000

A Shared-Bottom with lazy Adam takes steps while its checkpoint is written; it is freed, made anew
from the checkpoint, freed again, and what the checkpoint holds is exported as a SavedModel. Shown
is the most that the process held at each point, as multiples of the table alone: with its two
moments it is three of them. Linux counts it (`benchmarks.peak_memory`).
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from benchmarks import peak_memory
from benchmarks.step_models import FIELDS, TASKS, batch_of, inputs_of
from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.run_fn import rebuild
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.trainer.training.stored.sharded_array import Kept
from mtlx.trainer.training.training_state import StateStore, TrainingState

_BATCH = 2048
_Weights = Sequence[Kept]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2 * 10**7)
    parser.add_argument("--width", type=int, default=4, help="numbers of an embedding")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    tables = _Tables(arguments.rows, arguments.width)
    print(f"| {arguments.rows:,} rows × {arguments.width} | peak / table | seconds |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        tables.row("nothing but a small model", _Tables(FIELDS * 10, arguments.width).train)
        kept = tables.row("built, trained, saved beside the steps", lambda: tables.train(folder))
        tables.row("restored", lambda: tables.train(folder))
        tables.row("exported", lambda: tables.export(kept, os.path.join(folder, "model")))


class _Tables:
    """Trainings with a table of one size."""

    def __init__(self, rows: int, width: int) -> None:
        self._inputs = inputs_of(rows // FIELDS, sequences=False)
        self._settings = ModelSettings(
            network="shared_bottom", sequence_encoder="none", embedding_size=width
        )
        self._bytes = rows * width * 4
        self._base = 0.0

    def row(self, name: str, work: Callable[[], _Weights]) -> _Weights:
        """Prints what some work took, and gives back what it gave."""
        gc.collect()
        peak_memory.reset()
        started = time.monotonic()
        found = work()
        peak = peak_memory.peak_mebibytes()
        self._base = self._base or peak
        share = (peak - self._base) * 2**20 / self._bytes
        print(f"| {name} | {share:.2f} | {time.monotonic() - started:.1f} |", flush=True)
        return found

    def train(self, folder: str | None = None) -> _Weights:
        """Takes steps; saves, and restores where there is a checkpoint."""
        keras.utils.set_random_seed(1)
        model = self._build()
        settings = TrainingSettings.read({"optimizer": "lazy_adam", "batch_size": _BATCH})
        step = OrdinaryStep(model, TASKS, settings, tf.distribute.get_strategy())
        batch = {name: tf.constant(one) for name, one in batch_of(self._inputs, _BATCH).items()}
        step.prepare(batch)
        if folder is None:
            step(batch)
            return []
        checkpoints = CheckpointFolder(folder, "checkpoint")
        workers = WorkerGroup(tf.distribute.get_strategy())
        store = StateStore(checkpoints, workers, step.optimizers.watch(0))
        groups = {"model": model.variables, **step.variables}
        found = store.restore(groups)
        store.begin(groups, None if found is None else found[1])
        for _ in range(10):
            step(batch)
        kept = store.values(model.variables)
        store.save(TrainingState(best=kept), groups)
        for _ in range(10):
            step(batch)
        store.wait()
        return kept

    def export(self, weights: _Weights, folder: str) -> _Weights:
        """As the Trainer does, but for the transform and the signatures."""
        model = rebuild(self._build, weights)
        module = tf.Module()
        module.weights = [variable.value for variable in model.variables]
        tf.saved_model.save(module, folder)
        return weights

    def _build(self) -> keras.Model:
        return ARRANGEMENTS.get(self._settings.arrangement)(self._inputs, self._settings)


if __name__ == "__main__":
    main()
