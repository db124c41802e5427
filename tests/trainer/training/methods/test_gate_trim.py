"""DTN-trim on a small log in which the interactions differ in how well they fit."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.networks.dtn.dtn import DTN
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS
from mtlx.trainer.training.methods.gate_trim import _trimmed
from mtlx.trainer.validation.validation import validate
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

INPUTS = ModelInputs(
    (CategoricalInput("user", 9), CategoricalInput("item", 9)),
    (),
    (),
    "item",
    ("all",),
    (TaskSpec("ctr", "click"), TaskSpec("cvr", "buy", "ctr", "ctr")),
)
MODEL = ModelSettings(
    network="dtn",
    embedding_size=4,
    sequence_encoder="none",
    options={
        "units": 6,
        "tower_hidden": [6],
        "interactions": [{"name": "gdcn"}, {"name": "senet"}, {"name": "dcn_m"}],
    },
)
NAMES = ("user", "item", "click", "buy")


def _write(path, rows, seed):
    random = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for _ in range(rows):
            user, item = random.integers(3, 9, 2)
            click = int(random.random() < (0.8 if user > item else 0.3))
            buy = click * int(random.random() < item / 10)
            example = tf.train.Example()
            for name, value in zip(NAMES, (user, item, click, buy), strict=True):
                example.features.feature[name].int64_list.value.append(value)
            writer.write(example.SerializeToString())


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    _write(folder / "train.gz", 400, seed=1)
    _write(folder / "validation.gz", 300, seed=2)
    spec = {name: tf.io.FixedLenFeature([], tf.int64) for name in NAMES}

    def function(model=MODEL, on_epoch=lambda history: None):
        settings = TrainingSettings(
            batch_size=100, shuffle_rows=100, epochs=2, learning_rate=0.02, patience=None,
            checkpoint_every_steps=2,
        )  # fmt: skip
        sets = [
            ExampleSet([str(folder / f"{split}.gz")], spec, settings.shuffle_rows, True)
            for split in ("train", "validation")
        ]
        return TrainingJob(
            settings,
            INPUTS,
            lambda: RankingModel(INPUTS, model),
            *sets,
            CheckpointFolder(str(tmp_path_factory.mktemp("checkpoints")), "training"),
            tf.distribute.get_strategy(),
            on_epoch=on_epoch,
        )

    return function


def _train(job, **options):
    return TRAINING_METHODS.build("gate_trim", options, job).train()


def _with(job, result):
    model = job.build_model()
    for variable, value in zip(model.variables, result.weights, strict=True):
        variable.assign(value)
    return model


def _loaded(result):
    model = result.build_model()
    for variable, value in zip(model.variables, result.weights, strict=True):
        variable.assign(value)
    return model


@pytest.fixture(scope="module")
def standard_job(make):
    return make()


@pytest.fixture(scope="module")
def standard(standard_job):
    return TRAINING_METHODS.build("standard", {}, standard_job).train()


@pytest.fixture(scope="module")
def threshold(standard):
    """Between the first task's weights, so that some modules stay and some go."""
    return float(np.median(list(standard.history.gate_contributions["ctr"].values())))


@pytest.fixture(scope="module")
def trimmed(make, threshold):
    shown = []
    job = make(on_epoch=lambda history: shown.append([r["epoch"] for r in history.epochs]))
    return job, _train(job, threshold=threshold, fine_tune_epochs=2), shown


def test_drops_what_the_gates_hardly_use(standard, trimmed, threshold):
    _, result, _ = trimmed
    network = _loaded(result).network
    for index, (task, names) in enumerate(network.gate_names.items()):
        weights = standard.history.gate_contributions[task]
        for row in (index, 2 + index):
            kept = [network.names[place] for place in np.flatnonzero(network.visible[row])]
            own = [name.startswith(f"{task}/") for name in weights]
            candidates = [n for n, mine in zip(weights, own, strict=True) if mine == (row > 1)]
            heavy = {name for name in candidates if weights[name] >= threshold}
            assert set(kept) == heavy or kept == [max(candidates, key=weights.get)]
        assert len(names) < len(weights)


def test_history_holds_both_trainings_and_says_what_was_dropped(standard, trimmed):
    job, result, shown = trimmed
    history, model = result.history, _loaded(result)
    assert shown == [[1], [1, 2], [1, 2, 3, 4], [1, 2, 3, 4, 5]]
    assert [record["epoch"] for record in history.epochs] == [1, 2, 3, 4, 5]
    assert history.epochs[2]["examples"] == 0, "the third is the model as it was trimmed"
    values = {record["epoch"]: record["selection"] for record in history.epochs}
    assert history.best_epoch == min((3, 4, 5), key=values.get)
    assert f"Epoch {history.best_epoch} of 5 is kept: " in history.kept
    assert "the lowest since epoch 3 (epoch " in history.kept
    assert history.parameters < standard.history.parameters
    assert history.parameters == sum(np.prod(w.shape) for w in model.trainable_variables)
    for note, task in zip(history.notes[1:], ("ctr", "cvr"), strict=False):
        assert note.startswith(f"Task {task} no longer reads ")
    saved = standard.history.parameters - history.parameters
    assert f"saved {saved:,} of {standard.history.parameters:,} parameters" in history.notes[-1]
    assert history.notes[0] == "Epoch 3 is the smaller model as it was trimmed, before any step."
    again = validate(model, job.validation.in_order(100), INPUTS.tasks)
    # Not by AUC: 36 pairs of user and item make 300 rows, of which rounding decides who ties.
    losses = {record["epoch"]: record["validation_loss"] for record in history.epochs}
    best = losses.pop(history.best_epoch)
    assert again.loss == pytest.approx(best, rel=1e-5)
    assert all(again.loss != pytest.approx(other, rel=1e-4) for other in losses.values())
    assert set(history.gate_weights["cvr"]) == set(model.network.gate_names["cvr"])


def test_fine_tuning_starts_where_training_ended(make, standard):
    """Scores hardly move where what is dropped had hardly any weight: here, none at all."""
    larger = _with(make(), standard)
    gate = larger.network.gate
    gate.bias.assign(np.asarray(gate.bias) - 1e9 * (np.arange(gate.column_count) == 0))
    smaller = _trimmed(larger, {"ctr": [larger.network.gate_names["ctr"][0]]})
    assert isinstance(smaller.network, DTN)
    features = {"user": np.arange(9), "item": np.arange(9)[::-1].copy()}
    expected = larger(features)["logits"]
    np.testing.assert_allclose(smaller(features)["logits"], expected, rtol=1e-4, atol=1e-5)


def test_fine_tuning_that_only_does_harm_leaves_the_model_as_it_was_trimmed(
    make, standard, threshold
):
    job = make()
    result = _train(job, threshold=threshold, fine_tune_epochs=2, fine_tune_learning_rate=5.0)
    history = result.history
    assert history.best_epoch == 3
    assert "the lowest since epoch 3" in history.kept
    assert (
        min(record["selection"] for record in history.epochs[3:])
        > 1.1 * (history.epochs[2]["selection"])
    )
    # Its weights are those of the larger model: what is not dropped has not moved.
    trained = {w.name: np.array(w) for w in _with(make(), standard).embedding.weights}
    for weight in _loaded(result).embedding.weights:
        np.testing.assert_allclose(weight, trained[weight.name], atol=1e-6)


class _Killed(Exception):
    pass


def test_an_interrupted_training_ends_with_the_same_model(make, trimmed, threshold):
    """Killed after an epoch of the second training; the first one is the standard method's own."""
    kills = [4]

    def killed(history):
        if kills and len(history.epochs) == kills[0]:
            kills.pop(0)
            raise _Killed

    job = make(on_epoch=killed)
    with pytest.raises(_Killed):
        _train(job, threshold=threshold, fine_tune_epochs=2)
    assert not kills
    resumed = _train(job, threshold=threshold, fine_tune_epochs=2)
    for one, other in zip(resumed.weights, trimmed[1].weights, strict=True):
        # Gradients of embeddings are summed by several threads, in any order.
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert resumed.history.resumed_from_step is not None


def test_nothing_is_dropped_below_a_threshold_that_all_reach(standard_job, standard):
    """After the standard training, whose last checkpoint is there."""
    result = _train(standard_job, threshold=1e-9)
    assert result.build_model is None and "nothing was dropped" in result.history.notes[0]
    for one, other in zip(result.weights, standard.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def _planted(make):
    """Of click's own three modules gdcn adds next to nothing, heavily; dcn_m nearly all, lightly."""
    raw = MODEL.model_copy(update={"options": {**MODEL.options, "normalize_modules": False}})
    job = make(raw)
    model = job.build_model()
    random = np.random.RandomState(0)
    for variable in model.trainable_variables:
        variable.assign(random.randn(*variable.shape) * 0.5)
    network = model.network
    for name, factor in (("gdcn", 1e-4), ("dcn_m", 50.0)):
        output_map = network.modules[("gdcn", "senet", "dcn_m").index(name)].output_map
        for weight in output_map.weights:
            values = np.array(weight)
            values[0] *= factor
            weight.assign(values)
    kernel, bias = np.array(network.gate.kernel), np.array(network.gate.bias)
    columns = [place for place, gate in enumerate(np.nonzero(network.visible)[0]) if gate == 2]
    kernel[:, columns] = 0.0
    bias[columns] = np.log([0.65, 0.30, 0.05])
    network.gate.kernel.assign(kernel)
    network.gate.bias.assign(bias)
    return job, model


def test_drops_a_heavy_module_that_adds_nothing_and_keeps_a_light_one_that_does(make):
    job, model = _planted(make)
    found = validate(model, job.validation.in_order(100), INPUTS.tasks)
    names = model.network.gate_names["ctr"]
    features = {"user": np.arange(9), "item": np.arange(9)[::-1].copy()}
    before = np.asarray(model(features)["logits"])[:, 0]
    moved = {}
    for by, values in (
        ("contribution", found.gate_contributions),
        ("weight", found.gate_weights),
    ):
        method = TRAINING_METHODS.build("gate_trim", {"threshold": 0.1, "by": by}, job)
        named = {"ctr": dict(zip(names, values["ctr"], strict=True))}
        dropped = [
            name
            for name in method._below_threshold(model.network, named)["ctr"]
            if name.startswith("ctr/")
        ]
        keeps = "ctr/dcn_m" if by == "contribution" else "ctr/gdcn"
        assert keeps not in dropped
        assert ("ctr/gdcn" in dropped) == (by == "contribution")
        assert ("ctr/dcn_m" in dropped) == (by == "weight")
        after = np.asarray(_trimmed(model, {"ctr": dropped})(features)["logits"])[:, 0]
        moved[by] = np.corrcoef(before, after)[0, 1]
    assert moved["contribution"] > 0.95
    assert moved["contribution"] > moved["weight"] + 0.02


def test_refuses_another_network(make):
    model = ModelSettings(network="single_task", embedding_size=4, sequence_encoder="none")
    with pytest.raises(SettingsError, match="trims network 'dtn'"):
        _train(make(model))
