"""What is kept in memory, also after an interruption."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.example_sets import example_sets

SPEC = {"row": tf.io.FixedLenFeature([], tf.int64)}
#: Of 500 training rows all fit, of 5,000 bytes four fifths are used, by kept and moving rows.
PLENTY, LITTLE = 1 << 30, 5000


@pytest.fixture
def open_sets(tmp_path):
    """Opens both splits with so much memory; returns the sets, the notes and the checkpoints."""
    for split, rows in (("train", 500), ("validation", 20)):
        with tf.io.TFRecordWriter(str(tmp_path / f"{split}.gz"), "GZIP") as writer:
            for row in range(rows):
                example = tf.train.Example()
                example.features.feature["row"].int64_list.value.append(row)
                writer.write(example.SerializeToString())
    patterns = {split: [str(tmp_path / f"{split}.gz")] for split in ("train", "validation")}
    checkpoints = CheckpointFolder(str(tmp_path / "checkpoints"), "training")
    workers = WorkerGroup(tf.distribute.get_strategy())

    def function(memory, **settings):
        training = TrainingSettings.read({"shuffle_rows": 10, **settings})
        return *example_sets(patterns, SPEC, training, checkpoints, workers, lambda: memory), (
            checkpoints
        )

    return function


def _order(examples):
    return np.concatenate([batch["row"] for batch in examples.epoch(50, seed=1, epoch=1)]).tolist()


def test_kept_where_it_fits_and_the_settings_want_it(open_sets):
    plenty, notes, checkpoints = open_sets(PLENTY)
    assert notes == [] and checkpoints.not_kept() == []
    none, notes, _ = open_sets(PLENTY, cache="none")
    assert notes == []
    assert _order(plenty["train"]) != _order(none["train"])
    little, (note,), checkpoints = open_sets(LITTLE)
    assert note.startswith("The 500 rows of split train would take")
    assert checkpoints.not_kept() == ["train"]
    assert _order(little["train"]) == _order(none["train"])
    assert _order(little["validation"]) == _order(plenty["validation"])


def test_a_resumed_training_sees_the_same_order_however_much_memory_it_has(open_sets):
    first, _, checkpoints = open_sets(LITTLE)
    checkpoints.save({}, {})
    again, (note,), _ = open_sets(PLENTY)
    assert "was not before the interruption" in note
    assert _order(again["train"]) == _order(first["train"])
    checkpoints.remove()
    assert open_sets(PLENTY)[1] == []


def test_less_memory_than_before_an_interruption_is_said_to_change_the_order(open_sets):
    _, _, checkpoints = open_sets(PLENTY)
    checkpoints.save({}, {})
    (note,) = open_sets(LITTLE)[1]
    assert note.endswith("Its batches come in another order than before the interruption.")
    (note,) = open_sets(LITTLE)[1]
    assert "another order" not in note, "from then on it is the same"
