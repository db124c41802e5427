"""Statistics per domain and updates of fusion weights on two devices, as on one."""

import json
import sys

import pytest

from tests.forked_process import run_forked

#: Trains on one and on two logical CPU devices, which see 10 and 9 rows of every batch.
COMPARISON = """
import json, tempfile
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
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

inputs = ModelInputs(
    (CategoricalInput("item", 9),), (), (), None, ("feed", "search"), (TaskSpec("ctr", "click"),)
)
random = np.random.default_rng(0)
item, domain = random.integers(0, 9, 133), random.integers(0, 2, 133)
rows = {"item": item, "domain_id": domain, "click": (item + domain > 5).astype("int64")}
path = tempfile.mkdtemp() + "/rows.gz"
with tf.io.TFRecordWriter(path, "GZIP") as writer:
    for index in range(133):
        example = tf.train.Example()
        for name, values in rows.items():
            example.features.feature[name].int64_list.value.append(values[index].item())
        writer.write(example.SerializeToString())
spec = {name: tf.io.FixedLenFeature([], tf.int64) for name in rows}


def train(devices, network, options, method, method_options):
    settings = TrainingSettings(
        epochs=2, patience=None, batch_size=19, optimizer="sgd", learning_rate=0.05,
        loss=[{"name": "binary_cross_entropy"}],
    )
    built = ModelSettings(network=network, options=options, embedding_size=4)
    sets = [ExampleSet([path], spec, 50, True) for _ in range(2)]
    with tempfile.TemporaryDirectory() as folder:
        job = TrainingJob(
            settings, inputs, lambda: RankingModel(inputs, built), *sets,
            CheckpointFolder(folder, "x"), choose_strategy(devices),
        )
        names = [variable.name for variable in job.build_model().variables]
        result = TRAINING_METHODS.build(method, method_options, job).train()
    return dict(zip(enumerate(names), result.weights))


CASES = [
    ("star", {"hidden": [8], "tower_hidden": []}, "standard", {}),
    ("m3oe", {"domain_units": 8, "hidden": [8], "expert_hidden": [4]}, "bi_level",
     {"every_steps": 2, "learning_rate": 0.5, "batch_from": "validation"}),
]
for case in CASES:
    one, two = train(["CPU:0"], *case), train(["CPU:0", "CPU:1"], *case)
    differences = {name[1]: 0.0 for name in one}
    for name, values in one.items():
        if values.dtype.kind == "f":
            scale = 1 + np.abs(values).max()
            largest = float(np.abs(values - two[name]).max() / scale)
            differences[name[1]] = max(differences[name[1]], largest)
    moved = {name[1]: float(np.abs(values).sum()) for name, values in one.items()}
    ratios = []
    if case[0] == "star":
        of = lambda weights: {name[1]: values for name, values in weights.items()}
        one, two = of(one), of(two)
        for name in ("sums", "squares"):
            first, second = (w[name] / w["counts"] for w in (one, two))
            ratios.append(float(np.abs(first - second).max()))
    print(json.dumps({"differences": differences, "moved": moved, "ratios": ratios}))
"""


@pytest.fixture(scope="module")
def compared():
    done = run_forked([sys.executable, "-c", COMPARISON])
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_two_devices_have_the_statistics_of_the_whole_batch(compared):
    """Each device adds up its own rows; what is kept is the mean, whose ratios are the same."""
    assert compared[0]["moved"]["counts"] > 10
    assert max(compared[0]["ratios"]) < 1e-5
    trained = dict(compared[0]["differences"])
    for name in ("counts", "sums", "squares"):
        del trained[name]
    assert max(trained.values()) < 1e-4


def test_two_devices_update_fusion_weights_as_one_does(compared):
    assert max(compared[1]["differences"].values()) < 1e-4
    assert abs(compared[1]["moved"]["alpha_domain"] - 1.0) > 1e-4
