"""Several devices train as one does: the same rows in a step give the same weights."""

import json
import subprocess
import sys

import pytest
import tensorflow as tf

from trainer.devices import choose_strategy, device_names

#: Trains on one and on two logical CPU devices, with rows that do not divide evenly.
COMPARISON = """
import json, sys, tempfile
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from trainer.checkpoint import CheckpointFolder
from trainer.devices import choose_strategy
from trainer.ranking_model import RankingModel
from trainer.settings import ModelSettings, TrainingSettings
from trainer.training_job import TrainingJob
from trainer.training_methods.standard import Standard
from transform.model_inputs import CategoricalInput, ModelInputs, NumericInput, TaskSpec

inputs = ModelInputs(
    (CategoricalInput("item", 9),), (NumericInput("price"),), (), None, ("all",),
    (TaskSpec("ctr", "click"), TaskSpec("cvr", "buy", "ctr", "ctr")),
)
random = np.random.default_rng(0)
item, price = random.integers(0, 9, 133), random.normal(size=133).astype("float32")
click = (random.random(133) < 0.3 + 0.05 * item).astype("int64")
rows = {"item": item, "price": price, "click": click, "buy": click * (price > 0)}
model = {"network": "shared_bottom", "embedding_size": 4, "sequence_encoder": "none",
         "options": {"bottom_hidden": [8], "tower_hidden": [8]}}


class Rows:
    def epoch(self, batch_size, seed, epoch, skip=0):
        return tf.data.Dataset.from_tensor_slices(rows).batch(batch_size).skip(skip)

    def in_order(self, batch_size):
        return tf.data.Dataset.from_tensor_slices(rows).batch(batch_size)


def train(devices, options):
    given = dict(options)
    dropout = given.pop("dropout", 0.0)
    settings = TrainingSettings.read({"epochs": 2, "patience": None, **given})
    built = ModelSettings.read({**model, "options": {**model["options"], "dropout": dropout}})
    with tempfile.TemporaryDirectory() as folder:
        job = TrainingJob(
            settings, inputs, lambda: RankingModel(inputs, built), Rows(), Rows(),
            CheckpointFolder(folder, "x"), choose_strategy(devices),
        )
        return Standard(job).train()


for options in json.loads(sys.argv[1]):
    one, two = train(["CPU:0"], options), train(["CPU:0", "CPU:1"], options)
    weights = [float(np.abs(a - b).max()) for a, b in zip(one.weights, two.weights) if a.size]
    epochs = zip(one.history.epochs, two.history.epochs)
    print(json.dumps({
        "weights": max(weights),
        "loss": max(abs(a["loss"] - b["loss"]) for a, b in epochs),
        "examples": [record["examples"] for record in two.history.epochs],
        "devices": [one.history.devices, two.history.devices],
    }))
"""

SGD = {"optimizer": "sgd", "learning_rate": 0.5}
#: 133 rows: the last batch has 5 rows, then 1 row, which one of the devices does not see.
CASES = [
    {**SGD, "batch_size": 32},
    {**SGD, "batch_size": 33},
    {**SGD, "batch_size": 32, "l2": 0.01, "clip_norm": 0.1, "task_weights": {"cvr": 2.0}},
    {"optimizer": "adam", "learning_rate": 0.01, "weight_decay": 0.01, "batch_size": 32},
    {**SGD, "batch_size": 32, "dropout": 0.5},
]


@pytest.fixture(scope="module")
def compared():
    done = subprocess.run(
        [sys.executable, "-c", COMPARISON, json.dumps(CASES)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("case", range(4))
def test_two_devices_train_as_one_does(compared, case):
    result = compared[case]
    assert result["devices"] == [["CPU:0"], ["CPU:0", "CPU:1"]]
    assert result["examples"] == [133, 133]
    assert result["weights"] < 1e-4 and result["loss"] < 1e-5


def test_two_devices_train_with_dropout(compared):
    assert compared[4]["examples"] == [133, 133] and compared[4]["loss"] < 0.5


def test_strategy_by_devices():
    assert device_names(choose_strategy(["CPU:0"])) == ["CPU:0"]
    assert isinstance(choose_strategy(["CPU:0"]), tf.distribute.OneDeviceStrategy)
    if not tf.config.list_logical_devices("GPU"):
        assert choose_strategy() is tf.distribute.get_strategy()
        assert device_names(choose_strategy()) == ["CPU:0"]
