"""M3oE's fusion weights go where the planted data says, within three hundred steps.

The experts' outputs are given, so that it is known what the best weights are: experts that learn
can take up what α and β leave to them. With such, the last test compares data with data.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from benchmarks import bi_level
from benchmarks.planted_tasks import Training
from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.networks.m3oe.m3oe_fusion import FusionWeights
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec

DOMAINS, TASKS = 3, 3
EXPERTS = DOMAINS + TASKS
#: Share of the domains' (tasks') experts in the labels, by what the data says of a module.
SAYS = {
    "own": np.eye(3),
    "equally": np.full((3, 3), 1 / 3),
    "nothing": np.zeros((3, 3)),
}
#: What the data says of the domains' and of the tasks' experts.
DATA = (("own", "equally"), ("equally", "own"), ("nothing", "own"))
_START = 0.731


def _inputs(parts):
    """Of so many models side by side, each with tasks of its own."""
    names = [f"{part}_{task}" for part in range(parts) for task in range(TASKS)]
    return ModelInputs(
        (),
        (),
        (),
        None,
        tuple(f"domain_{index}" for index in range(DOMAINS)),
        tuple(TaskSpec(f"task_{name}", f"label_{name}") for name in names),
    )


class Part(keras.layers.Layer):
    """Eqs. 5 to 9 on experts of one number each that are given, with linear towers."""

    def __init__(self):
        super().__init__()
        self.fusion = FusionWeights(TASKS, DOMAINS, TASKS, learns=True, balances=True)
        shape = (DOMAINS, TASKS)
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")

    def call(self, domain_ids, shared, experts):
        weights = ops.concatenate(self.fusion(domain_ids), axis=-1)  # (B, T, D + T)
        fused = ops.einsum("bte,be->bt", weights, experts)
        scale, shift = (ops.take(values, domain_ids, axis=0) for values in (self.scale, self.shift))
        return scale * (shared[:, None] + fused) + shift


class Fused(GradientModel):
    """Models that share nothing, each on data of its own kind: one training shows what all learn.

    Their losses are added up and Adam's steps are a weight's own, so that each of them learns what
    it would alone.
    """

    def __init__(self, parts):
        super().__init__()
        self.parts = [Part() for _ in range(parts)]

    @property
    def fusion_variables(self):
        return [variable for part in self.parts for variable in part.fusion.variables]

    def call(self, features, training=False):
        domain_ids = features["domain_id"]
        logits = [
            part(domain_ids, features["shared"][:, place], features["experts"][:, place])
            for place, part in enumerate(self.parts)
        ]
        logits = ops.concatenate(logits, axis=-1)
        return {"logits": logits, "probabilities": ops.sigmoid(logits), "domain_id": domain_ids}


def _write(path, rows, random, data, tasks):
    """Labels follow the shared expert, and the others as far as the data says."""
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for _ in range(rows):
            domain = int(random.integers(DOMAINS))
            shared = random.normal(size=len(data))
            experts = random.normal(size=(len(data), EXPERTS))
            logits = []
            for place, (of_domains, of_tasks) in enumerate(data):
                told = SAYS[of_domains][domain] @ experts[place, :DOMAINS]
                told = told + SAYS[of_tasks] @ experts[place, DOMAINS:]
                logits.extend(2 * (shared[place] + told))
            features = tf.train.Example()
            features.features.feature["shared"].float_list.value.extend(shared)
            features.features.feature["experts"].float_list.value.extend(experts.ravel())
            features.features.feature["domain_id"].int64_list.value.append(domain)
            labels = random.random(len(logits)) < 1 / (1 + np.exp(-np.array(logits)))
            for task, label in zip(tasks, labels, strict=True):
                features.features.feature[task.label].int64_list.value.append(int(label))
            writer.write(features.SerializeToString())


def _learnt(folder, data, seed, **options):
    """α and β by name after 297 steps, for each kind of data."""
    random, inputs, sets = np.random.default_rng(seed), _inputs(len(data)), []
    spec = {
        "shared": tf.io.FixedLenFeature([len(data)], tf.float32),
        "experts": tf.io.FixedLenFeature([len(data), EXPERTS], tf.float32),
        "domain_id": tf.io.FixedLenFeature([], tf.int64),
        **{task.label: tf.io.FixedLenFeature([], tf.int64) for task in inputs.tasks},
    }
    for split, rows in (("train", 3840), ("validation", 100)):
        _write(folder / f"{split}.gz", rows, random, data, inputs.tasks)
        sets.append(ExampleSet([str(folder / f"{split}.gz")], spec, 1024, True))
    settings = TrainingSettings(
        epochs=11, patience=None, batch_size=128, learning_rate=0.01, seed=seed
    )
    checkpoints = CheckpointFolder(str(folder / "checkpoints"), "training")
    strategy = tf.distribute.get_strategy()
    job = TrainingJob(settings, inputs, lambda: Fused(len(data)), *sets, checkpoints, strategy)
    method = TRAINING_METHODS.build("bi_level", options, job)
    method.train()
    assert method.loop.state.progress.step == 297
    return [
        {variable.name: float(ops.sigmoid(variable)) for variable in part.fusion.variables}
        for part in method.loop.model.parts
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_fusion_weights_go_where_the_data_says(tmp_path, seed):
    for says_of, found in zip(DATA, _learnt(tmp_path, DATA, seed), strict=True):
        for name, says in zip(("domain", "task"), says_of, strict=True):
            alpha, beta = found[f"alpha_{name}"], found[f"beta_{name}"]
            print(says_of, name, says, round(alpha, 3), round(beta, 3))
            if says == "nothing":
                assert alpha < _START - 0.15
            elif says == "own":
                assert beta > _START + 0.1
            else:
                assert beta < _START - 0.15


def test_once_an_epoch_at_a_thousandth_moves_nothing(tmp_path):
    """The schedule of the released code, for which `m3oe_released` is there."""
    (found,) = _learnt(tmp_path, DATA[:1], 1, every_steps=None, learning_rate=1e-3)
    assert max(abs(value - _START) for value in found.values()) < 0.01


def test_the_main_optimiser_moves_beta_with_experts_that_learn():
    """`main_trains_fusion`: own experts count for more where domains have combinations apart."""
    settings = ModelSettings(network="m3oe", options=bi_level.MODEL, embedding_size=8)
    training = None
    for seed in (1, 2):
        found = {}
        for data in ("all_alike", "domains_apart"):
            keras.utils.set_random_seed(seed)
            model = RankingModel(bi_level.INPUTS, settings)
            columns, _ = bi_level.draw(data, bi_level.ROWS["train"], seed)
            if training is None:
                tasks = bi_level.INPUTS.tasks
                training = Training(model, tasks, columns, seed=seed, learning_rate=0.003)
            else:
                training.start_again(model, columns, seed)
            training.epochs(12)
            numbers = {v.name: float(v) for v in training.model.fusion_variables}
            found[data] = 1 / (1 + np.exp(-numbers["beta_domain"]))
        print(seed, found)
        assert found["domains_apart"] > found["all_alike"] + 0.03
