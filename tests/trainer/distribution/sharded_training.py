"""A small training whose tables are sharded where several workers run it."""

import os

import numpy as np
import tensorflow as tf

from mtlx.trainer.distribution.devices import choose_strategy
from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods.standard import Standard
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

#: Rows of the table; the first worker has one more than the second.
ROWS = 61 + 20
INPUTS = ModelInputs(
    (CategoricalInput("item", 61), CategoricalInput("user", 20)),
    *((), (), None, ("all",), (TaskSpec("ctr", "click"),)),
)
SPEC = {name: tf.io.FixedLenFeature([], tf.int64) for name in ("item", "user", "click")}
SPEC["domain_id"] = SPEC["item"]
MODEL = ModelSettings(
    network="shared_bottom",
    sequence_encoder="none",
    embedding_size=4,
    options={"bottom_hidden": [4], "tower_hidden": [4], "dropout": 0.0},
)
#: In 5 steps per epoch, of which the last one has one row, and one of two workers none.
TRAINING = {
    **{"optimizer": "lazy_adam", "learning_rate": 0.05, "clip_norm": 0.05, "l2": 1e-3},
    **{"batch_size": 32, "batch_parts": 2, "shuffle_rows": 200, "epochs": 2, "patience": 2},
    **{
        "checkpoint_every_steps": 2,
        "average": 0.8,
        "embeddings": {"learning_rate": 0.03, "shard": True},
    },
}


class NoStart:
    """What is begun with in the place of random weights: these."""

    def give_weights(self, model):
        pass

    def give_state(self, groups):
        return 0


def write_examples(folder):
    """129 rows to train on and 64 to validate; some items are in none."""
    random = np.random.default_rng(1)
    for split, rows in (("train", 129), ("validation", 64)):
        with tf.io.TFRecordWriter(os.path.join(folder, f"{split}.gz"), "GZIP") as writer:
            for item, user in zip(
                random.integers(3, 55, rows), random.integers(0, 25, rows), strict=True
            ):
                click = int(random.random() < item / 60)
                example = tf.train.Example()
                for name, value in zip(SPEC, (item, user, click, 0), strict=True):
                    example.features.feature[name].int64_list.value.append(value)
                writer.write(example.SerializeToString())


def method(examples, checkpoint, **settings):
    """The training, not yet begun; `checkpoint` is its folder."""
    strategy = choose_strategy()
    sets = [
        ExampleSet([os.path.join(examples, f"{split}.gz")], SPEC, 200, True)
        for split in ("train", "validation")
    ]
    job = TrainingJob(
        TrainingSettings.read({**TRAINING, **settings}),
        INPUTS,
        lambda: build_model(INPUTS, MODEL),
        *sets,
        CheckpointFolder(*os.path.split(checkpoint)),
        strategy,
        start=NoStart() if "warm_start" in settings else None,
        shard_tables=strategy.num_replicas_in_sync > 1,
    )
    return Standard(job)


def slots(training):
    """Both moments of the table, as they lie here."""
    found = training.loop.step.optimizers.variables
    return [np.array(one) for one in found if "table" in one.path]


def outcome(training, result):
    """What is compared, by name."""
    history = result.history
    return {
        "losses": [record["loss"] or 0.0 for record in history.epochs],
        "validation": [record["validation_loss"]["ctr"] for record in history.epochs],
        "start": -1 if history.resumed_from_step is None else history.resumed_from_step,
        "parameters": history.parameters,
        "table": np.array(training.loop.model.embeddings[0].table),
        "slots": slots(training),
        **{f"weights/{index}": np.asarray(one) for index, one in enumerate(result.weights)},
    }
