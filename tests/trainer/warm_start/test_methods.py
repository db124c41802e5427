"""Every training method begins with a base model, or refuses to; and a warm start helps.

Days are written as transformed examples, each by the ids of a vocabulary of its own.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.job import TrainingJob
from mtlx.trainer.training.methods import TRAINING_METHODS, check_warm_start
from mtlx.trainer.warm_start.base_model import BaseModelError
from mtlx.transform.analysis.model_inputs_builder import model_inputs
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.data_contract import DataContract
from tests.trainer.base_in_memory import BaseInMemory, warm_start

VALUES = [f"v{n}".encode() for n in range(40)]
CONTRACT = DataContract.read(
    {
        "features": {"user": {"kind": "categorical"}, "item": {"kind": "categorical"}},
        "tasks": {
            "ctr": {"label": "click"},
            "cvr": {"label": "buy", "after": "ctr", "population": "ctr"},
        },
        "target_item": "item",
    }
)
NAMES = ("user", "item", "click", "buy")
YESTERDAY = {"user": VALUES[:34], "item": VALUES[:34]}
#: Six values are gone, six are new, and all stand elsewhere.
TODAY = {"user": VALUES[:5:-1], "item": [*VALUES[20:], *VALUES[6:20]]}
INPUTS = model_inputs(CONTRACT, lambda name: 34)
#: A network for each method that needs one of its own.
NETWORK_OF = {
    "standard": {"network": "shared_bottom", "options": {"bottom_hidden": [16], "tower_hidden": []}},
    "meta": {"network": "mmoe", "options": {"experts": 2, "expert_hidden": [8]}},
    "bi_level": {
        "network": "m3oe",
        "options": {
            "domain_units": 8, "hidden": [8], "shared_experts": 2, "expert_hidden": [8],
            "tower_hidden": [8],
        },
    },
    "gate_trim": {
        "network": "dtn",
        "options": {
            "units": 6, "tower_hidden": [6],
            "interactions": [
                {"name": "gdcn"}, {"name": "memonet", "options": {"codewords": 31}},
            ],
        },
    },
}  # fmt: skip


def _settings(method):
    values = {"embedding_size": 4, "sequence_encoder": "none", **NETWORK_OF[method]}
    return ModelSettings.read(values)


def _rows(number, seed, values):
    """Rows of values: click follows user and item, each by a weight of its own; so does buy."""
    random = np.random.default_rng(seed)
    tastes = np.random.default_rng(99).normal(size=(2, 2, len(VALUES)))
    users, items = (random.choice(values, number) for _ in range(2))
    score = 1.5 * (tastes[0, 0][users] + tastes[0, 1][items])
    click = random.random(number) < 1 / (1 + np.exp(-score))
    score = 1.5 * (tastes[1, 0][users] + tastes[1, 1][items])
    buy = click & (random.random(number) < 1 / (1 + np.exp(-score)))
    return {"user": users, "item": items, "click": click.astype(int), "buy": buy.astype(int)}


def _by_ids(rows, vocabularies):
    """Rows with ids in the place of values, 2 for one that the vocabulary does not hold."""
    ids = {}
    for name, vocabulary in vocabularies.items():
        found = {value: 3 + place for place, value in enumerate(vocabulary)}
        ids[name] = np.array([found.get(VALUES[value], 2) for value in rows[name]])
    return {**rows, **ids}


def _write(path, rows):
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for values in zip(*(rows[name] for name in NAMES), strict=True):
            example = tf.train.Example()
            for name, value in zip(NAMES, values, strict=True):
                example.features.feature[name].int64_list.value.append(int(value))
            writer.write(example.SerializeToString())


@pytest.fixture
def job(tmp_path):
    """A job on the rows of one day."""

    def function(settings, rows, start=None, name="training", strategy=None, **training):
        spec = {name: tf.io.FixedLenFeature([], tf.int64) for name in NAMES}
        values = {
            "batch_size": 64, "shuffle_rows": 512, "learning_rate": 0.02, "patience": None,
            **({"warm_start": "latest_blessed"} if start else {}), **training,
        }  # fmt: skip
        sets = []
        for split, those in rows.items():
            _write(tmp_path / f"{name}-{split}.gz", those)
            sets.append(ExampleSet([str(tmp_path / f"{name}-{split}.gz")], spec, 512, True))
        return TrainingJob(
            TrainingSettings.read(values),
            INPUTS,
            lambda: build_model(INPUTS, settings),
            *sets,
            CheckpointFolder(str(tmp_path / "checkpoints"), name),
            strategy or tf.distribute.get_strategy(),
            start=start,
        )

    return function


def _train(job, method="standard", **options):
    return TRAINING_METHODS.build(method, options, job).train()


def _with_weights(settings, weights):
    model = build_model(INPUTS, settings)
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)
    return model


def _scores(model, rows):
    features = {name: tf.constant(rows[name]) for name in ("user", "item")}
    return np.asarray(model(features)["probabilities"])


def _start(base, settings, **changes):
    of = {"of": CONTRACT, "vocabularies": TODAY}
    return warm_start(base, INPUTS, settings, None, **of, **changes)


def _mirrored():
    return tf.distribute.MirroredStrategy(["CPU:0"])


@pytest.mark.parametrize(
    ("method", "strategy"),
    [(name, None) for name in TRAINING_METHODS if name in NETWORK_OF] + [("gate_trim", _mirrored)],
)
def test_zero_steps_of_every_method_give_what_the_base_model_gives(method, strategy, job):
    settings = _settings(method)
    keras.utils.set_random_seed(1)
    yesterday = build_model(INPUTS, settings)
    random = np.random.default_rng(0)
    for weight in yesterday.trainable_variables:
        weight.assign_add(0.1 * random.normal(size=weight.shape))
    base = BaseInMemory(yesterday, settings, CONTRACT, YESTERDAY)
    rows = _rows(300, 1, np.arange(6, 34))  # of values that both days know
    today = _by_ids(rows, TODAY)
    start = _start(base, settings)
    both = {"train": today, "validation": today}
    strategy = strategy and strategy()
    result = _train(job(settings, both, start, strategy=strategy, epochs=0), method)
    model = _with_weights(settings, result.weights)
    np.testing.assert_allclose(
        _scores(model, today), _scores(yesterday, _by_ids(rows, YESTERDAY)), atol=1e-6
    )
    (record,) = result.history.epochs
    assert (record["epoch"], record["examples"], record["loss"]) == (0, 0, None)
    assert record["validation_auc"]["ctr"] > 0
    assert "No step was taken" in result.history.kept
    assert "Values of item: 28 taken over, 6 new, 6 dropped out." in start.notes


def test_trees_refuse():
    left = set(TRAINING_METHODS) - set(NETWORK_OF)
    assert left == {"gradient_boosting"}
    training = TrainingSettings.read({"warm_start": "latest_blessed"})
    with pytest.raises(SettingsError, match="'gradient_boosting' can't begin with a base model"):
        check_warm_start("gradient_boosting", training)
    check_warm_start(NETWORKS.get("mmoe").default_method, training)


@pytest.mark.parametrize("seed", [1, 2])
def test_warm_start_helps(seed, job):
    """One short epoch on a second day, from the first day's weights and from random ones."""
    settings = _settings("standard")
    first = {
        "train": _by_ids(_rows(4000, seed, np.arange(34)), YESTERDAY),
        "validation": _by_ids(_rows(500, seed + 10, np.arange(34)), YESTERDAY),
    }
    learnt = _train(job(settings, first, name="first", epochs=3, seed=seed))
    state = learnt.state
    base = BaseInMemory(
        _with_weights(settings, learnt.weights), settings, CONTRACT, YESTERDAY, state
    )
    second = {
        "train": _by_ids(_rows(256, seed + 20, np.arange(6, 40)), TODAY),
        "validation": _by_ids(_rows(3000, seed + 30, np.arange(6, 40)), TODAY),
    }
    start = _start(base, settings, new_rows="mean")
    auc = {}
    for name, begun in (("warm", start), ("scratch", None)):
        result = _train(job(settings, second, begun, name=name, epochs=1, seed=seed))
        auc[name] = result.history.epochs[0]["validation_auc"]
    print(
        {name: {task: round(value, 3) for task, value in own.items()} for name, own in auc.items()}
    )
    for task in ("ctr", "cvr"):
        assert auc["warm"][task] > auc["scratch"][task] + 0.05


def test_the_optimiser_goes_on_with_the_moments_of_every_value(job):
    settings = _settings("standard")
    rows = {"train": _by_ids(_rows(640, 1, np.arange(34)), YESTERDAY)}
    rows["validation"] = rows["train"]
    asked = {"from": "latest_blessed", "optimizer": True}
    first = _train(job(settings, rows, name="first", epochs=1, warm_start=asked))
    moments = first.state["optimizer"]
    (slot,) = [name for name in moments if name.endswith("table_momentum")]
    base = BaseInMemory(
        _with_weights(settings, first.weights), settings, CONTRACT, YESTERDAY, first.state
    )
    start = _start(base, settings, optimizer=True)
    today = {name: _by_ids(_rows(64, 2, np.arange(6, 34)), TODAY) for name in rows}
    schedule = {"name": "cosine", "warm_up_steps": 1}
    trained = job(
        settings, today, start, name="second", warm_start=asked, epochs=2, schedule=schedule
    )
    method = TRAINING_METHODS.build("standard", {}, trained)
    method.loop.open()
    assert "The optimiser goes on after 10 steps." in start.notes
    given = {
        variable.path.rpartition("/")[2]: np.array(variable)
        for variable in method.loop.step.optimizers.main.variables
    }
    (table,) = [value for name, value in given.items() if name.endswith("table_momentum")]
    old = moments[slot]
    places = {value: 3 + place for place, value in enumerate(YESTERDAY["user"])}
    for place, value in enumerate(TODAY["user"]):
        expected = old[places[value]] if value in places else np.zeros(4)
        np.testing.assert_array_equal(table[3 + place], expected)
    assert np.abs(old).max() > 0 and int(given["iteration"]) == 10
    # The learning rate's schedule is today's: its first step warms up.
    rate = float(method.loop.step.optimizers.main.learning_rate)
    assert rate == pytest.approx(0.01)


def test_another_optimiser_starts_anew_and_says_so(job):
    settings = _settings("standard")
    rows = _by_ids(_rows(64, 1, np.arange(6, 34)), TODAY)
    model = build_model(INPUTS, settings)
    base = BaseInMemory(model, settings, CONTRACT, YESTERDAY)
    start = _start(base, settings, optimizer=True)
    asked = {"from": "latest_blessed", "optimizer": True}
    both = {"train": rows, "validation": rows}
    _train(job(settings, both, start, epochs=0, warm_start=asked))
    assert any("The optimiser starts anew" in note for note in start.notes)


def test_what_differs_is_refused_or_trained_from_the_start(job):
    yesterday = _settings("standard")
    options = {**yesterday.options, "bottom_hidden": (24,)}
    today = yesterday.model_copy(update={"options": options})
    base = BaseInMemory(build_model(INPUTS, yesterday), yesterday, CONTRACT, YESTERDAY)
    rows = _by_ids(_rows(64, 1, np.arange(6, 34)), TODAY)
    both = {"train": rows, "validation": rows}
    with pytest.raises(BaseModelError) as caught:
        job(today, both, _start(base, today), epochs=1).gradient_model()
    assert (
        "model.options.bottom_hidden is [24], that of the base model [16]. Take that back, or "
        "train from the start: set warm_start.otherwise to initial"
    ) in str(caught.value)
    start = _start(base, today, otherwise="initial")
    started = job(today, both, start, epochs=1).gradient_model()
    plain = job(today, both, epochs=1).gradient_model()
    for ours, theirs in zip(started.variables, plain.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert start.notes[0].startswith("Trained from the start: the base model yesterday's model")
