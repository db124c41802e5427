"""The training loop: selection, resumption, seeds, divergence; on a small model with dropout."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.diverged import TrainingDiverged
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods.standard import Standard
from mtlx.trainer.validation.validation import validate
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec
from tests.trainer.training.killed import train_killed

INPUTS = ModelInputs(
    categorical=(),
    numeric=(),
    sequences=(),
    target_item=None,
    domains=("all",),
    tasks=(TaskSpec("ctr", "click"), TaskSpec("cvr", "buy", "ctr", "ctr")),
)
SPEC = {
    "x": tf.io.FixedLenFeature([4], tf.float32),
    "click": tf.io.FixedLenFeature([], tf.int64),
    "buy": tf.io.FixedLenFeature([], tf.int64),
}


class Gated(GradientModel):
    """A hidden layer with dropout, and a gate over two halves of it."""

    def __init__(self):
        super().__init__()
        self.gate_names = {"ctr": ["left", "right"]}
        self.hidden = keras.layers.Dense(8, activation="relu")
        self.dropout = keras.layers.Dropout(0.3)
        self.gate = keras.layers.Dense(2, activation="softmax")
        self.towers = keras.layers.Dense(2)

    def call(self, features, training=False):
        hidden = self.dropout(self.hidden(features["x"]), training=training)
        gate = self.gate(features["x"])
        mixed = hidden * keras.ops.repeat(gate, 4, axis=1)
        logits = self.towers(mixed)
        probabilities = keras.ops.sigmoid(logits)
        return {"logits": logits, "probabilities": probabilities, "gates/ctr": gate}


def _write(path, rows, seed):
    random = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for _ in range(rows):
            x = random.normal(size=4)
            click = int(random.random() < 1 / (1 + np.exp(-3 * x[0])))
            buy = int(click and random.random() < 1 / (1 + np.exp(-3 * x[1])))
            example = tf.train.Example()
            example.features.feature["x"].float_list.value.extend(x)
            example.features.feature["click"].int64_list.value.append(click)
            example.features.feature["buy"].int64_list.value.append(buy)
            writer.write(example.SerializeToString())


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    _write(folder / "train.gz", 512, seed=1)
    _write(folder / "validation.gz", 300, seed=2)
    return folder


@pytest.fixture(scope="module")
def make(examples, tmp_path_factory):
    """Builds a job with checkpoints of its own; settings by name, other parts as given."""

    def function(build_model=Gated, on_epoch=lambda history: None, **settings):
        defaults = {"batch_size": 64, "shuffle_rows": 100, "epochs": 3, "learning_rate": 0.02}
        values = TrainingSettings.read({**defaults, **settings})
        sets = [
            ExampleSet([str(examples / f"{split}.gz")], SPEC, values.shuffle_rows, True)
            for split in ("train", "validation")
        ]
        checkpoints = CheckpointFolder(str(tmp_path_factory.mktemp("checkpoints")), "training")
        strategy = tf.distribute.get_strategy()
        return TrainingJob(
            values, INPUTS, build_model, *sets, checkpoints, strategy, on_epoch=on_epoch
        )

    return function


class _Killed(Exception):
    pass


def _train(job):
    job.checkpoints.remove()
    return Standard(job).train()


def _model_with(weights):
    model = Gated()
    model({"x": np.zeros((1, 4), "float32")})
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)
    return model


def _assert_same(first, second):
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    fields = (
        "loss", "task_loss", "validation_auc", "validation_loss", "selection", "examples"
    )  # fmt: skip
    for one, other in zip(first.history.epochs, second.history.epochs, strict=True):
        assert {name: one[name] for name in fields} == {name: other[name] for name in fields}
    for name in ("best_epoch", "selection", "kept", "warnings"):
        assert getattr(first.history, name) == getattr(second.history, name)


def test_learns_and_keeps_the_best_epochs_weights(make):
    """A rate this high overshoots, so that the best epoch isn't the last one."""
    seen = []
    job = make(
        epochs=12, patience=None, learning_rate=0.3, on_epoch=lambda h: seen.append(len(h.epochs))
    )
    result = _train(job)
    history = result.history
    assert seen == list(range(1, 13))
    values = [record["selection"] for record in history.epochs]
    assert history.best_epoch == int(np.argmin(values)) + 1 < 12
    assert min(values) < 0.8
    model = _model_with(result.weights)
    again = validate(model, job.validation.in_order(100), INPUTS.tasks)
    best = history.epochs[history.best_epoch - 1]
    assert again.auc == pytest.approx(best["validation_auc"], abs=1e-6)
    assert history.gate_weights["ctr"] == pytest.approx(
        dict(zip(["left", "right"], again.gate_weights["ctr"], strict=True)), abs=1e-5
    )
    assert history.parameters == 4 * 8 + 8 + 4 * 2 + 2 + 8 * 2 + 2


def test_one_training_and_two_ways_to_choose_its_epoch(make, caplog):
    """The same steps and so the same results in every epoch, of which the settings choose."""
    common = {"epochs": 8, "patience": None, "learning_rate": 0.3}
    caplog.set_level("INFO", logger="absl")
    new, old = (
        _train(make(**common, select_by=select_by)).history
        for select_by in ({"shrinkage": 20}, {"metric": "auc", "shrinkage": 0})
    )
    assert [e["validation_auc"] for e in new.epochs] == [e["validation_auc"] for e in old.epochs]
    means = [np.mean(list(epoch["validation_auc"].values())) for epoch in old.epochs]
    assert old.best_epoch == np.argmax(means) + 1
    assert [epoch["selection"] for epoch in old.epochs] == pytest.approx(means)

    rows, positives = (np.array(list(new.selection[key].values())) for key in ("rows", "positives"))
    rarer = np.minimum(positives, rows - positives)
    rate = positives / rows
    base = -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)
    losses = np.array([list(epoch["validation_loss"].values()) for epoch in new.epochs])
    values = np.average(losses / base, axis=1, weights=rarer / (rarer + 20))
    assert [epoch["selection"] for epoch in new.epochs] == pytest.approx(values, rel=1e-9)
    assert new.best_epoch == np.argmin(values) + 1 != old.best_epoch

    assert new.kept.startswith(
        f"Epoch {new.best_epoch} of 8 is kept: normalised entropy {min(values):.5f} on the "
        f"validation split, the lowest (epoch {np.argsort(values)[1] + 1} comes next with "
    )
    assert "AUC" in old.kept and "the highest" in old.kept
    (warning,) = [text for text in new.warnings if "'cvr'" in text]
    assert "too few validation rows" in warning and warning in caplog.text
    assert f"normalised entropy {values[0]:.5f} (best so far)" in caplog.text


def test_a_training_resumed_after_its_best_epoch_keeps_it(make):
    common = {"epochs": 6, "patience": 3, "learning_rate": 0.3}
    expected = _train(make(**common))
    best = expected.history.best_epoch

    def killed(history):
        if len(history.epochs) == best + 1 and not seen:
            seen.append(best)
            raise _Killed

    seen = []
    job = make(**common, on_epoch=killed)
    with pytest.raises(_Killed):
        Standard(job).train()
    resumed = Standard(job).train()
    assert seen and resumed.history.resumed_from_step
    _assert_same(resumed, expected)


def test_stops_when_patience_is_at_an_end(make):
    """Steps this small change no score, so that no epoch is better than the first."""
    result = _train(make(epochs=9, patience=2, optimizer="sgd", learning_rate=1e-30))
    assert len(result.history.epochs) == 3 and result.history.best_epoch == 1


@pytest.fixture(scope="module")
def two_epochs(make):
    return _train(make(epochs=2))


def test_the_same_seed_gives_the_same_model_and_another_seed_another(make, two_epochs):
    second, other = (_train(make(epochs=2, seed=seed)) for seed in (1, 2))
    _assert_same(two_epochs, second)
    assert two_epochs.history.epochs[0]["loss"] != other.history.epochs[0]["loss"]


def test_a_training_does_not_depend_on_what_else_the_process_seeds(make, two_epochs):
    """Weights, batches and dropout are those of its own seed, whatever was built since."""
    first = Standard(make(epochs=2))
    Standard(make(seed=2))
    _assert_same(first.train(), two_epochs)


@pytest.fixture(scope="module")
def uninterrupted(make):
    return _train(make(checkpoint_every_steps=2))


def test_an_interrupted_training_ends_with_the_same_model(make, uninterrupted):
    """Eight steps per epoch: within the first and the second one, and at the end of one."""
    job = make(checkpoint_every_steps=2)
    resumed, starts = train_killed(lambda: Standard(job), (5, 8, 11))
    assert starts == [0, 4, 8, 10]
    _assert_same(resumed, uninterrupted)


def test_a_training_killed_after_its_last_epoch_is_not_repeated(make):
    job = make(epochs=1)
    job.checkpoints.remove()
    first = Standard(job).train()
    second = Standard(job).train()
    assert len(second.history.epochs) == 1
    _assert_same(first, second)


def test_checkpoint_of_another_architecture_is_not_used(make):
    job = make(epochs=1)
    job.checkpoints.save(
        {"model": [np.zeros((2, 2))], "optimizer": [], "best": []}, {"progress": {}, "history": {}}
    )
    result = Standard(job).train()
    assert result.history.resumed_from_step is None and len(result.history.epochs) == 1


def test_divergence_names_step_task_and_remedy(make):
    job = make(optimizer="sgd", learning_rate=1e30)
    job.checkpoints.remove()
    with pytest.raises(
        TrainingDiverged, match=r"loss of task '\w+' is .* at step [2-9] .*clip_norm"
    ):
        Standard(job).train()


class Undefined(Gated):
    """Predicts no number, though only when it does not train."""

    def call(self, features, training=False):
        outputs = super().call(features, training=training)
        if not training:
            outputs["probabilities"] = outputs["probabilities"] * float("nan")
        return outputs


def test_weights_that_predict_no_number_are_never_selected(make):
    job = make(build_model=Undefined, epochs=1)
    job.checkpoints.remove()
    with pytest.raises(TrainingDiverged, match="validation loss of task 'ctr' is .* at step 8"):
        Standard(job).train()


def test_labels_outside_of_the_population_do_not_matter(make, two_epochs):
    """Purchases without a click, were there any, would not change what is learnt of purchases."""
    job = make(epochs=2)

    class Changed:
        def __init__(self, rows):
            self._rows = rows

        def epoch(self, *arguments, **options):
            return self._rows.epoch(*arguments, **options).map(self._change)

        @property
        def first_row(self):
            return self._change(self._rows.first_row)

        def in_order(self, *arguments):
            return self._rows.in_order(*arguments).map(self._change)

        @staticmethod
        def _change(batch):
            return {**batch, "buy": tf.where(batch["click"] == 1, batch["buy"], 1)}

    changed = TrainingJob(
        **{**vars(job), "train": Changed(job.train), "validation": Changed(job.validation)}
    )
    _assert_same(_train(changed), two_epochs)
