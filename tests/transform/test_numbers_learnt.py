"""What a model learns of a number that is 0 mostly, by the way in which it becomes fields."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.planted_tasks import Training
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract

#: Rows that are analysed are the first of those that are trained on, and these the first of all.
ROWS, TRAINED, ANALYSED = 30_000, 20_000, 8_000
BANDS = 6
BUCKETS = {"transform": "quantile_buckets", "buckets": 30}
DISTINCT = {**BUCKETS, "buckets_of": "distinct"}
WAYS = {
    "by_rows": BUCKETS,
    "by_log": {"transform": "log"},
    "distinct": DISTINCT,
    "both": {**DISTINCT, "transform": ["log", "quantile_buckets"]},
}
MODEL = {"network": "shared_bottom", "embedding_size": 4,
         "options": {"bottom_hidden": [16], "tower_hidden": [8]}}  # fmt: skip


@pytest.fixture(scope="module")
def planted(one_pass):
    """94 % zeros; of the rest every second band of the logarithm is positive mostly."""
    random = np.random.default_rng(5)
    share = random.random(ROWS)
    amount = np.where(random.random(ROWS) < 0.94, 0, np.round(np.exp(2 + 7 * share), 2))
    high = np.floor(share * BANDS) % 2 == 1
    truth = np.where(amount == 0, 0.45, np.where(high, 0.85, 0.05))
    click = random.random(ROWS) < truth
    contract = DataContract.read(
        {
            "features": {name: {"kind": "numeric", **way} for name, way in WAYS.items()},
            "tasks": {"ctr": {"label": "click"}},
        }
    )
    rows = [
        {**{name: [float(amount[row])] for name in WAYS}, "click": [int(click[row])]}
        for row in range(ANALYSED)
    ]
    transformed = one_pass(contract, rows)
    places = np.stack([np.arange(ROWS), np.zeros(ROWS, int)], axis=1)
    numbers = tf.SparseTensor(places, amount.astype("float32"), (ROWS, 1))
    raw = dict.fromkeys(WAYS, numbers)
    columns = transformed.graph.transform_features_layer()(raw)
    columns = {name: np.asarray(values) for name, values in columns.items()}
    return contract, transformed.graph, columns, click, truth, amount > 0


#: By way: another seed needs no other graph.
_TRAININGS = {}


def _auc(planted, way, seed):
    """AUC on the rows that are not zeros, of a model that has one of the features."""
    contract, graph, columns, click, _, there = planted
    contract = contract.model_copy(update={"features": {way: contract.features[way]}})
    keras.utils.set_random_seed(seed)
    inputs = build_model_inputs(contract, graph)
    model = RankingModel(inputs, ModelSettings.read(MODEL))
    rows = {name: values[:TRAINED] for name, values in columns.items()}
    rows["click"] = click[:TRAINED].astype("int64")
    if way not in _TRAININGS:
        _TRAININGS[way] = Training(
            model, inputs.tasks, rows, seed=seed, batch_size=1000, learning_rate=0.02
        )
    else:
        _TRAININGS[way].start_again(model, rows, seed)
    _TRAININGS[way].epochs(8)
    test = (np.arange(ROWS) >= TRAINED) & there
    found = _TRAININGS[way].predict({name: values[test] for name, values in columns.items()})
    return area_under_curve(click[test], found["probabilities"][:, 0])


@pytest.mark.parametrize("seed", [1, 2])
def test_only_distinct_values_let_a_model_learn_what_the_few_others_tell(planted, seed):
    *_, click, truth, there = planted
    test = (np.arange(ROWS) >= TRAINED) & there
    best = area_under_curve(click[test], truth[test])
    found = {way: _auc(planted, way, seed) for way in WAYS}
    print(f"best {best:.3f}", {way: round(auc, 3) for way, auc in found.items()})
    assert best > 0.88
    assert found["distinct"] > best - 0.04 and found["both"] > best - 0.04
    assert found["by_rows"] < 0.65 and found["by_log"] < 0.75
