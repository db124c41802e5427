"""Several devices train as one does: the same rows in a step give the same weights."""

import json
import sys

import pytest
import tensorflow as tf

from mtlx.trainer.distribution.devices import choose_strategy, device_names
from tests.forked_process import run_forked
from tests.graph_rewriting import AS_TRACED

#: Trains on one and on two logical CPU devices, with rows that do not divide evenly; or, where the
#: options name a step to interrupt behind, on two devices without and with an interruption.
COMPARISON = """
import contextlib, json, sys, tempfile
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.distribution.devices import choose_strategy
from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, NumericInput, TaskSpec

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


path = tempfile.mkdtemp() + "/rows.gz"
with tf.io.TFRecordWriter(path, "GZIP") as writer:
    for index in range(133):
        example = tf.train.Example()
        for name, values in rows.items():
            kind = "float_list" if name == "price" else "int64_list"
            getattr(example.features.feature[name], kind).value.append(values[index].item())
        writer.write(example.SerializeToString())
spec = {name: tf.io.FixedLenFeature([], values.dtype) for name, values in rows.items()}


class Interrupted(Exception):
    pass


def train(devices, options, interrupt=None):
    given = dict(options)
    dropout = given.pop("dropout", 0.0)
    chosen = {**model, **given.pop("model", {})}
    settings = TrainingSettings.read({"epochs": 2, "patience": None, **given})
    built = ModelSettings.read({**chosen, "options": {**chosen["options"], "dropout": dropout}})
    method_name = settings.method or "standard"
    sets = [ExampleSet([path], spec, 50, True) for _ in range(2)]
    with tempfile.TemporaryDirectory() as folder:
        job = TrainingJob(
            settings, inputs, lambda: RankingModel(inputs, built), *sets,
            CheckpointFolder(folder, "x"), choose_strategy(devices),
        )
        if interrupt is not None:
            method = TRAINING_METHODS.build(method_name, settings.method_options, job)
            count = method.loop._count

            def interrupted(batch, losses):
                if method.loop.state.progress.step == interrupt:
                    raise Interrupted
                count(batch, losses)

            method.loop._count = interrupted
            with contextlib.suppress(Interrupted):
                method.train()
        return TRAINING_METHODS.build(method_name, settings.method_options, job).train()


distributed = OrdinaryStep._distributed_step


def counted(self, batch):
    global traced
    traced += 1
    return distributed(self, batch)


OrdinaryStep._distributed_step = counted
both = ["CPU:0", "CPU:1"]
for options in json.loads(sys.argv[1]):
    interrupt, traced = options.pop("interrupt", None), 0
    one = train(["CPU:0"] if interrupt is None else both, options)
    two = train(both, options, interrupt)
    weights = [float(np.abs(a - b).max()) for a, b in zip(one.weights, two.weights) if a.size]
    epochs = zip(one.history.epochs, two.history.epochs)
    print(json.dumps({
        "weights": max(weights),
        "loss": max(abs(a["loss"] - b["loss"]) for a, b in epochs),
        "examples": [record["examples"] for record in two.history.epochs],
        "devices": [one.history.devices, two.history.devices],
        "resumed_from_step": two.history.resumed_from_step,
        "traced": traced,
    }))
"""

SGD = {"optimizer": "sgd", "learning_rate": 0.5}
NORMALISED = {"options": {"bottom_hidden": [8], "tower_hidden": [8], "normalization": "batch"}}
#: 133 rows: the last batch has 1 row, which one of the devices does not see, or 34 rows.
CASES = {
    # Statistics of the whole batch too, and of the last one. A loss over all rows, whose share of
    # a device is that of its rows; and weights of its own.
    "the loss's parts": {
        **{**SGD, "batch_size": 44, "average": 0.9},
        **{"l2": 0.01, "clip_norm": 0.1, "task_weights": {"cvr": 2.0}},
        "model": {"network": "esmm", "options": {"tower_hidden": [8], "normalization": "batch"}},
        "loss": [{"name": "entire_space_cross_entropy"}, {"name": "uncertainty_weighting"}],
    },
    # In the last batch the tables' other rows stay as they are on both devices. Two optimisers, a
    # schedule, an average, and steps whose parts have rows on one device only.
    "lazy in parts": {
        **{"optimizer": "lazy_adam", "batch_size": 44, "batch_parts": 2, "average": 0.9},
        **{"l2": 0.01, "clip_norm": 0.1},
        "schedule": {"name": "cosine", "warm_up_share": 0.2},
        "embeddings": {"learning_rate": 0.02},
    },
    "in parts": {
        **{"optimizer": "adam", "batch_size": 33, "batch_parts": 3, "average": 0.9},
        **{"weight_decay": 0.1, "embeddings": {"learning_rate": 0.02, "l2": 0.01}},
    },
}
#: Seven batches of 19 rows, of which the devices see 10 and 9. The second stage begins behind step 7.
META = {
    **{**SGD, "batch_size": 19, "dropout": 0.5, "checkpoint_every_steps": 2, "epochs": 1},
    **{"method": "meta", "method_options": {"second_order": True}, "interrupt": 9},
}
#: In the middle of an epoch, behind one without gain.
SCHEDULED = {
    **{"optimizer": "adam", "learning_rate": 0.5, "batch_size": 19, "model": NORMALISED},
    **{"schedule": "plateau", "epochs": 4, "average": 0.9, "embeddings": {"learning_rate": 0.02}},
    **{"interrupt": 17, "checkpoint_every_steps": 2, "dropout": 0.5},
}


@pytest.fixture(scope="module")
def compared():
    cases = json.dumps([*CASES.values(), META, SCHEDULED])
    done = run_forked([sys.executable, "-c", AS_TRACED + COMPARISON, cases])
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return dict(zip([*CASES, "meta", "scheduled"], lines, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_two_devices_train_as_one_does(compared, case):
    result = compared[case]
    assert result["devices"] == [["CPU:0"], ["CPU:0", "CPU:1"]]
    assert result["examples"] == [133, 133]
    assert result["weights"] < 1e-4 and result["loss"] < 1e-5
    # Each training's step once, though its last batch is smaller, and one device may have no row.
    assert result["traced"] == 2


def test_two_devices_resume_in_the_middle_of_meta_learning(compared):
    result = compared["meta"]
    assert result["resumed_from_step"] == 8
    assert result["devices"][1] == ["CPU:0", "CPU:1"]
    assert result["examples"] == [133, 133]
    assert result["weights"] < 1e-6 and result["loss"] < 1e-6


def test_two_devices_resume_in_the_middle_of_an_epoch(compared):
    """With the same batches, optimiser state, schedule, average, statistics and dropout."""
    result = compared["scheduled"]
    assert result["resumed_from_step"] == 16
    assert result["devices"][1] == ["CPU:0", "CPU:1"]
    assert result["examples"] == [133] * 4
    assert result["weights"] < 1e-6 and result["loss"] < 1e-6


def test_strategy_by_devices():
    assert device_names(choose_strategy(["CPU:0"])) == ["CPU:0"]
    assert isinstance(choose_strategy(["CPU:0"]), tf.distribute.OneDeviceStrategy)
    if not tf.config.list_logical_devices("GPU"):
        assert choose_strategy() is tf.distribute.get_strategy()
        assert device_names(choose_strategy()) == ["CPU:0"]
