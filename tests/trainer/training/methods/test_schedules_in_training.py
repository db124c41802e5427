"""Schedules and averages in whole trainings: epochs, what is kept, resumption, further stages."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.layers.parallel.parallel_mlp import ParallelMLP
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.trainer.training.methods.standard import Standard
from mtlx.trainer.validation.validation import validate
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec
from tests.trainer.training.killed import train_killed

INPUTS = ModelInputs((), (), (), None, ("all",), (TaskSpec("ctr", "click"),))
SPEC = {
    "x": tf.io.FixedLenFeature([4], tf.float32),
    "click": tf.io.FixedLenFeature([], tf.int64),
}
#: 250 rows in batches of 50: five steps per epoch.
EPOCH_STEPS = 5


class Normalised(GradientModel):
    """An MLP with batch normalisation and dropout, and a fusion weight."""

    def __init__(self):
        super().__init__()
        self.hidden = ParallelMLP(1, [6], 0.2, normalization="batch")
        self.dense = keras.layers.Dense(1)
        self.fusion = self.add_weight(shape=(), initializer="zeros", name="fusion")
        self({"x": np.zeros((1, 4), "float32")})

    @property
    def fusion_variables(self):
        return [self.fusion]

    def call(self, features, training=False):
        hidden = self.hidden(features["x"], training=training)[:, 0]
        logits = self.dense(hidden) * keras.ops.sigmoid(self.fusion)
        return {"logits": logits, "probabilities": keras.ops.sigmoid(logits)}


def _write(path, rows, seed):
    random = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for _ in range(rows):
            x = random.normal(size=4)
            example = tf.train.Example()
            example.features.feature["x"].float_list.value.extend(x)
            click = int(random.random() < 1 / (1 + np.exp(-2 * x[0])))
            example.features.feature["click"].int64_list.value.append(click)
            writer.write(example.SerializeToString())


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """Builds a job with checkpoints of its own."""
    folder = tmp_path_factory.mktemp("examples")
    _write(folder / "train.gz", 250, seed=1)
    _write(folder / "validation.gz", 300, seed=2)

    def function(in_memory=True, **settings):
        defaults = {"batch_size": 50, "shuffle_rows": 100, "epochs": 3, "learning_rate": 0.05}
        values = TrainingSettings.read({**defaults, "patience": None, **settings})
        sets = [
            ExampleSet([str(folder / f"{split}.gz")], SPEC, values.shuffle_rows, in_memory)
            for split in ("train", "validation")
        ]
        checkpoints = CheckpointFolder(str(tmp_path_factory.mktemp("checkpoints")), "training")
        strategy = tf.distribute.get_strategy()
        return TrainingJob(values, INPUTS, Normalised, *sets, checkpoints, strategy)

    return function


def _method(job):
    name = job.settings.method or "standard"
    return TRAINING_METHODS.build(name, job.settings.method_options, job)


@pytest.mark.parametrize("in_memory", [True, False])
def test_rows_are_counted(make, in_memory):
    """And what is counted is still there to train on."""
    job = make(in_memory)
    assert job.train.rows == 250 and job.validation.rows == 300
    assert sum(len(batch["click"]) for batch in job.train.epoch(50, 1, 1)) == 250


def test_history_and_log_hold_the_rate_of_every_epochs_last_step(make, caplog):
    caplog.set_level("INFO", logger="absl")
    history = _method(make(schedule="cosine", embeddings={"learning_rate": 0.1})).train().history
    steps = EPOCH_STEPS * np.arange(1, 4) - 1
    expected = 0.05 * (1 + np.cos(np.pi * steps / 15)) / 2
    assert [e["learning_rate"] for e in history.epochs] == pytest.approx(expected, rel=1e-4)
    # This model has no tables.
    assert "embedding_learning_rate" not in history.epochs[0]
    assert f", learning rate {expected[1]:.3g}" in caplog.text
    constant = _method(make()).train().history
    assert "learning_rate" not in constant.epochs[0]


def test_plateau_reduces_the_rate_after_the_epoch_without_gain(make):
    """Rates this high overshoot: epochs with and without gain."""
    options = {"reduction": 0.1, "patience": 1}
    schedule = {"name": "plateau", "options": options}
    history = _method(make(schedule=schedule, epochs=8, learning_rate=1.0)).train().history
    rate, best, reductions = 1.0, np.inf, 0
    for record in history.epochs:
        assert record["learning_rate"] == pytest.approx(rate, rel=1e-5)
        if record["selection"] >= best:
            rate, reductions = max(rate * 0.1, 0.001), reductions + 1
        best = min(best, record["selection"])
    assert 2 <= reductions < 8


def test_plateau_ends_with_patience(make):
    """Steps this small are no gain: reduced after epochs 3 and 5, out of patience after 6."""
    schedule = {"name": "plateau", "options": {"patience": 2, "reduction": 0.5}}
    model = {"optimizer": "sgd", "learning_rate": 1e-30}
    method = _method(make(schedule=schedule, epochs=20, patience=5, **model))
    worse = iter(range(100))
    score = method.loop.selection.score
    method.loop.selection.score = lambda found: score(found).__class__(float(next(worse)), {})
    history = method.train().history
    rates = [record["learning_rate"] / 1e-30 for record in history.epochs]
    assert rates == pytest.approx([1, 1, 1, 0.5, 0.5, 0.25], rel=1e-4)


def _with(weights):
    model = Normalised()
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)
    return model


def test_the_average_is_validated_kept_and_returned(make):
    """Against the recursion over what the plain training's weights are after every step."""
    job = make(epochs=2, average=0.8)
    method = _method(job)
    trace, step = [], method.loop.step

    def traced(batch):
        if not trace:
            trace.append(_values(method.loop.model))
        losses = step(batch)
        trace.append(_values(method.loop.model))
        return losses

    method.loop.step = _Wrapped(step, traced)
    result = method.train()
    assert len(trace) == 11
    averages = [trace[0]]
    for number, weights in enumerate(trace[1:], 1):
        kept = min(0.8, number / (number + 9))
        pairs = zip(averages[-1], weights, strict=True)
        averages.append([kept * old + (1 - kept) * new for old, new in pairs])
    ends = [averages[5], averages[10]]
    best = ends[result.history.best_epoch - 1]
    for name, value, expected, raw in zip(_names(), result.weights, best, trace[10], strict=True):
        if value.dtype.kind == "f":
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6, err_msg=name)
            assert np.abs(value - raw).max() > 1e-6 or name == "fusion", name
    for record, weights in zip(result.history.epochs, ends, strict=True):
        model = _with([w.astype(v.dtype) for w, v in zip(weights, result.weights, strict=True)])
        found = validate(model, job.validation.in_order(100), INPUTS.tasks)
        assert found.loss["ctr"] == pytest.approx(record["validation_loss"]["ctr"], rel=1e-4)
    # The training itself goes on from its own weights: as it would without an average.
    plain = _method(make(epochs=2)).train()
    losses = [e["loss"] for e in result.history.epochs]
    assert losses == pytest.approx([e["loss"] for e in plain.history.epochs], rel=1e-6)


class _Wrapped:
    """A step whose call is another one."""

    def __init__(self, step, call):
        self._step, self._call = step, call

    def __call__(self, batch):
        return self._call(batch)

    def __getattr__(self, name):
        return getattr(self._step, name)


def _values(model):
    return [np.array(variable) for variable in model.variables]


def _names():
    return [variable.name for variable in Normalised().variables]


#: Schedules that depend on steps and on validation; an average; further optimisers and stages.
RESUMED = {
    "cosine": {"schedule": {"name": "cosine", "warm_up_steps": 4}, "average": 0.8},
    "plateau": {"schedule": "plateau", "average": 0.8, "batch_parts": 2},
    "bi_level": {
        "method": "bi_level",
        "method_options": {"every_steps": 2, "learning_rate": 0.5},
        "schedule": {"name": "exponential", "warm_up_share": 0.2},
        "average": 0.8,
    },
    "meta": {
        "method": "meta",
        "method_options": {"epochs": 2},
        "epochs": 2,
        "schedule": "cosine",
        "average": 0.8,
    },
}


def _noted(job, case):
    """The method; with a plateau every epoch counts as worse than the one before."""
    method = _method(job)
    if case == "plateau":
        score = method.loop.selection.score
        method.loop.selection.score = lambda found: score(found).__class__(
            float(len(method.loop.state.history.epochs)), {}
        )
    return method


@pytest.mark.parametrize("case", RESUMED)
def test_an_interrupted_training_ends_with_the_same_model(make, case):
    """Same rates, same averages, same moving statistics as if nothing had happened."""
    settings = {**RESUMED[case], "checkpoint_every_steps": 3}
    # In the middle of an epoch; of several stages, in each of them.
    job, steps = make(**settings), (7, 12) if case == "meta" else (12,)
    resumed, starts = train_killed(lambda: _noted(job, case), steps)
    expected = _noted(make(**settings), case).train()
    assert len(starts) == len(steps) + 1
    assert all(0 <= step - start <= 2 for step, start in zip(steps, starts[1:], strict=True))
    for one, other in zip(resumed.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    for name in ("learning_rate", "loss", "selection"):
        first, second = ([e[name] for e in r.history.epochs] for r in (resumed, expected))
        assert first == second
    assert len({e["learning_rate"] for e in expected.history.epochs}) > 1


def test_the_second_stage_goes_on_with_the_schedule(make):
    """Stage 1 ends after two of four epochs; stage 2 is where all four would have led."""
    job = make(method="meta", method_options={"epochs": 2}, epochs=4, patience=1, schedule="cosine")
    method = _method(job)
    score = method.loop.selection.score
    worse = iter([1.0, 2.0, 3.0, 0.5, 0.4])
    method.loop.selection.score = lambda found: score(found).__class__(next(worse), {})
    history = method.train().history
    rates = [record["learning_rate"] for record in history.epochs]
    steps = np.array([1, 2, 5]) * EPOCH_STEPS - 1
    expected = 0.05 * (1 + np.cos(np.pi * steps / (6 * EPOCH_STEPS))) / 2
    assert rates == pytest.approx(expected, rel=1e-4)


def test_what_does_not_fit_is_refused_before_the_first_step(make):
    with pytest.raises(SettingsError, match="no more than 15 of 5 each"):
        Standard(make(schedule={"warm_up_steps": 15}))
    for values in ({"name": "cosine", "options": {"final": 1}}, "cosin"):
        with pytest.raises(SettingsError, match="final|cosine"):
            Standard(make(schedule=values))
