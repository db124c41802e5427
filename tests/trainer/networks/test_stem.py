"""STEM against plain NumPy, whose loss trains which table, and tasks that want other embeddings."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.planted_tasks import Training
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec
from tests.trainer.small_members import FULL

TASKS = (TaskSpec("click", "click"), TaskSpec("like", "like"))
INPUTS = ModelInputs((CategoricalInput("item", 42),), (), (), None, ("all",), TASKS)
FIELDS = np.random.RandomState(0).randn(5, 3, 2, 4).astype("float32")  # (B, T + 1, F, k)
OPTIONS = {"task_experts": 2, "expert_hidden": [6], "gate_hidden": [5], "tower_hidden": [4]}


def _build(**options):
    keras.utils.set_random_seed(1)
    network = NETWORKS.build("stem", {**OPTIONS, **options}, INPUTS)
    network(FIELDS, None, None)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.4)
    return network


def _dense(layer, inputs, copy):
    return inputs @ np.asarray(layer.kernel)[copy] + np.asarray(layer.bias)[copy]


def _mlp(mlp, inputs, copy):
    for layer in mlp.hidden_layers:
        inputs = np.maximum(_dense(layer, inputs, copy), 0)
    return inputs


def _level(level, tables, gates):
    experts = [_mlp(level.experts, tables[place], e) for e, place in enumerate([0, 0, 1, 1, 2])]
    mixes = []
    for gate in range(gates):
        seen = tables[2] if gate == 2 else tables[gate] + tables[2]
        seen = _mlp(level.gate_layers, seen, gate)
        columns = slice(5 * gate, 5 * gate + 5)
        scores = seen @ np.asarray(level.gate.kernel)[:, columns]
        powers = np.exp(scores + np.asarray(level.gate.bias)[columns])
        weights = powers / powers.sum(axis=1, keepdims=True)
        mixes.append(sum(weights[:, e, None] * expert for e, expert in enumerate(experts)))
    return mixes, weights


@pytest.mark.parametrize("levels", [1, 2])
def test_is_that_of_the_published_code(levels):
    network = _build(levels=levels)
    tables = [FIELDS[:, table].reshape(5, 8).astype("float64") for table in range(3)]
    for level in network.stem_levels[:-1]:
        tables, _ = _level(level, tables, 3)
    mixes, weights = _level(network.stem_levels[-1], tables, 2)
    outputs = network(FIELDS, None, None)
    np.testing.assert_allclose(outputs["gates/like"], weights, rtol=1e-4, atol=1e-4)
    for task in range(2):
        hidden = _mlp(network.towers.mlp, mixes[task], task)
        expected = _dense(network.towers.output_layer, hidden, task)[:, 0]
        np.testing.assert_allclose(outputs["logits"][:, task], expected, rtol=1e-4, atol=1e-4)


def test_a_task_reads_all_tables_and_trains_its_own_and_the_shared_one():
    network = _build()
    fields = tf.constant(FIELDS)
    for task in range(2):
        with tf.GradientTape() as tape:
            tape.watch(fields)
            logit = tf.reduce_sum(network(fields, None, None)["logits"][:, task])
        trained = np.abs(tape.gradient(logit, fields).numpy()).sum(axis=(0, 2, 3)) > 0
        assert trained.tolist() == [task == 0, task == 1, True]
        moved = FIELDS.copy()
        moved[:, 1 - task] += 1.0
        before, after = (np.asarray(network(f, None, None)["logits"]) for f in (FIELDS, moved))
        assert np.abs(before - after)[:, task].max() > 1e-3


def test_the_model_has_a_table_for_each_task_and_a_shared_one():
    """An encoder sees each table alone: with the others' vectors moved, its interest stays."""
    keras.utils.set_random_seed(1)
    settings = ModelSettings(
        network="stem", options=OPTIONS, embedding_size=4, sequence_encoder="din"
    )
    model = RankingModel(FULL, settings)
    assert model.embedding.table.shape == (36, 20)
    seen = []
    call = model.network.call
    model.network.call = lambda fields, *others, **named: (
        seen.append(np.asarray(fields)) or call(fields, *others, **named)
    )
    features = {name: np.asarray([3, 4]) for name in ("user", "item", "city")}
    features |= {"price": np.zeros(2, "float32"), "domain_id": np.zeros(2, "int64")}
    features |= {"clicks": np.asarray([[3, 5, 0, 0]] * 2), "buys": np.asarray([[6, 0, 0]] * 2)}
    model(features)
    table = np.asarray(model.embedding.table)
    moved = table.copy()
    moved[:, 4:8] += 0.5
    model.embedding.table.assign(moved)
    model(features)
    assert seen[0].shape[:2] == (2, 5) and seen[0].shape[3] == 4
    change = np.abs(seen[1] - seen[0]).max(axis=(0, 3))  # (tables, fields)
    assert (change[1] > 0.01).sum() >= 5  # three ids, two interests
    assert change[[0, 2, 3, 4]].max() == 0
    np.testing.assert_allclose(seen[0][0, 2, 0], table[3, 8:12], rtol=1e-6)  # of user 3


def test_stands_behind_no_bottom():
    with pytest.raises(SettingsError, match="bottom"):
        RankingModel(FULL, ModelSettings(network="stem", options=OPTIONS, bottom="trm"))


# Two tasks that ask other things of an id, which has a single number.

ROWS = 8_000


def _rows(seed):
    random = np.random.default_rng(seed)
    wanted = np.random.default_rng(7).normal(size=(42, 2)) * 2.0
    items = random.integers(3, 42, ROWS)
    labels = random.random((ROWS, 2)) < 1 / (1 + np.exp(-wanted[items]))
    columns = {"item": items, "click": labels[:, 0] * 1, "like": labels[:, 1] * 1}
    return columns, wanted[items]


def _learnt(model):
    columns, _ = _rows(1)
    training = Training(model, TASKS, columns, learning_rate=0.02)
    training.epochs(8)
    others, truth = _rows(10**6)
    scores = training.predict(others)["logits"]
    return [
        [area_under_curve(others[task.name], values[:, place]) for values in (scores, truth)]
        for place, task in enumerate(TASKS)
    ]


def test_tasks_that_want_other_embeddings_have_them():
    """Linear but for the experts' ReLU: width 1, experts of two units and linear towers."""
    settings = ModelSettings(
        network="stem",
        embedding_size=1,
        options={"expert_hidden": [2], "tower_hidden": []},
    )
    keras.utils.set_random_seed(1)
    apart = _learnt(RankingModel(INPUTS, settings))
    keras.utils.set_random_seed(1)
    model = RankingModel(INPUTS, settings)
    call = model.network.call
    # The idea taken out: every group of experts reads the shared table.
    model.network.call = lambda fields, *others, **named: call(
        tf.repeat(fields[:, -1:], 3, axis=1), *others, **named
    )
    together = _learnt(model)
    print(apart, together)
    assert all(found > 0.5 + 0.98 * (best - 0.5) for found, best in apart)
    assert all(found < 0.5 + 0.97 * (best - 0.5) for found, best in together)
