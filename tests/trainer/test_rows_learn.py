"""Drawn negatives and numbers on planted rows, of which the best is known."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.planted_tasks import Training
from mtlx.components.one_pass_transform.row_use import RowUse
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import ModelInputs, NumericInput, TaskSpec
from mtlx.transform.contract.rows.weight import DRAWN_WEIGHT, ROW_WEIGHT

MODEL = ModelSettings(
    network="shared_bottom", options={"bottom_hidden": [16], "tower_hidden": [8]}, embedding_size=8
)
NUMBERS = (NumericInput("x"), NumericInput("y"))
CLICKS = (
    TaskSpec("click", "click"),
    TaskSpec("buy", "buy", "click", "click"),
    TaskSpec("cart", "cart", "click"),
    TaskSpec("like", "like"),
)


def _sigmoid(values):
    return 1 / (1 + np.exp(-values))


def _clicks(rows, seed):
    """3 % are clicked, by x; what is bought of them, and what is liked, follows y."""
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, rows))
    click = random.random(rows) < _sigmoid(1.2 * x - 4)
    then = random.random(rows) < _sigmoid(1.5 * y)
    like = random.random(rows) < _sigmoid(y - 2 + x)
    labels = {"click": click, "buy": click & then, "cart": click & then, "like": like}
    columns = {"x": x.astype("float32"), "y": y.astype("float32")}
    return columns | {name: label.astype("int64") for name, label in labels.items()}


def _drawn(columns, seed, correction="weights"):
    """The rows that a draw of a tenth of the negatives keeps, with what they count for."""
    contract = DataContract.read(
        {
            "features": {"x": {"kind": "numeric"}},
            "tasks": {"click": {"label": "click"}},
            "sampling": {"task": "click", "negatives": 0.1, "seed": seed, "correction": correction},
        }
    )
    integers = lambda *values: tf.train.Feature(int64_list=tf.train.Int64List(value=values))  # noqa: E731
    examples = [
        tf.train.Example(
            features=tf.train.Features(feature={"click": integers(click), "row": integers(row)})
        ).SerializeToString()
        for row, click in enumerate(columns["click"])
    ]
    draws = RowUse.of(contract, "train", 0, 0).draws("/some/folder/data-00000-of-00001.gz")
    parts = [
        draws.take(tf.constant(examples[at : at + 7000])) for at in range(0, len(examples), 7000)
    ]
    spec = {"row": tf.io.FixedLenFeature([], tf.int64)}
    rows = np.concatenate([tf.io.parse_example(kept, spec)["row"].numpy() for kept, _ in parts])
    drawn = {name: values[rows] for name, values in columns.items()}
    names = parts[0][1]
    return drawn | {name: np.concatenate([factors[name] for _, factors in parts]) for name in names}


def _fitted(tasks, columns, seed, epochs, **settings):
    keras.utils.set_random_seed(seed)
    inputs = ModelInputs((), NUMBERS, (), None, ("all",), tasks)
    training = Training(
        RankingModel(inputs, MODEL), tasks, columns, seed=seed, learning_rate=0.005, **settings
    )
    training.epochs(epochs)
    return training


#: The same, where the logit of the click is to be corrected.
CORRECTED = (dataclasses.replace(CLICKS[0], kept_negatives=0.1), *CLICKS[1:])


@pytest.mark.parametrize(("seed", "correction"), [(1, "weights"), (2, "weights"), (3, "logit")])
def test_a_tenth_of_the_negatives_teaches_every_task_the_logs_own_rates(seed, correction):
    held_out = _clicks(100_000, 10**6)
    drawn = _drawn(_clicks(80_000, seed), seed, correction)
    assert len(drawn["x"]) < 0.16 * 80_000
    tasks = CORRECTED if correction == "logit" else CLICKS
    predicted = _fitted(tasks, drawn, seed, 30, batch_size=512).predict(held_out)["probabilities"]
    best = {"click": 1.2 * held_out["x"], "like": held_out["y"] + held_out["x"]}
    for place, task in enumerate(CLICKS):
        rows = held_out["click"] == 1 if task.population else slice(None)
        label, scores = held_out[task.name][rows], predicted[rows, place]
        ratio = scores.mean() / label.mean()
        print(seed, task.name, ratio, area_under_curve(label, scores))
        assert 0.8 < ratio < 1.25, task
        if task.name in best:
            possible = area_under_curve(label, best[task.name])
            assert area_under_curve(label, scores) > possible - 0.012


def test_without_what_they_count_for_the_rates_are_those_of_the_drawn_rows():
    drawn = _drawn(_clicks(40_000, 1), 1)
    drawn[ROW_WEIGHT] = np.ones_like(drawn[ROW_WEIGHT])
    held_out = _clicks(20_000, 10**6)
    predicted = _fitted(CLICKS, drawn, 1, 4).predict(held_out)["probabilities"]
    assert predicted[:, 0].mean() > 4 * held_out["click"].mean()


def test_without_its_correction_the_sampled_task_is_off_by_the_share_and_no_other_is():
    """The same weights of the model, without ln w: odds are ten times too high, and rare clicks are
    predicted nearly as much too often. So are carts without what drawn rows count for.
    """
    drawn, held_out = _drawn(_clicks(40_000, 4), 4, "logit"), _clicks(50_000, 10**6)
    corrected = _fitted(CORRECTED, drawn, 4, 12, batch_size=512)
    plain = _fitted(CLICKS, drawn, 4, 0)
    for variable, value in zip(plain.model.variables, corrected.model.variables, strict=True):
        variable.assign(value)
    own, without = (one.predict(held_out)["logits"] for one in (corrected, plain))
    np.testing.assert_allclose(own - without, [[np.log(0.1), 0, 0, 0]] * 50_000, atol=1e-5)
    ratios = [_sigmoid(one[:, 0]).mean() / held_out["click"].mean() for one in (own, without)]
    assert 0.8 < ratios[0] < 1.25 and ratios[1] > 4
    # No click is left out, and so no cart: a task on all rows still needs weights of the others.
    drawn[DRAWN_WEIGHT] = np.ones_like(drawn[DRAWN_WEIGHT])
    unweighed = _fitted(CORRECTED, drawn, 4, 12, batch_size=512)
    carts = [one.predict(held_out)["probabilities"][:, 2].mean() for one in (corrected, unweighed)]
    rate = held_out["cart"].mean()
    assert 0.75 < carts[0] / rate < 1.3 and carts[1] / rate > 4


def test_a_rows_draw_is_the_same_in_every_run_and_however_batches_are_cut():
    columns = _clicks(8_000, 3)
    one, again, other = _drawn(columns, 1), _drawn(columns, 1), _drawn(columns, 2)
    np.testing.assert_array_equal(one["x"], again["x"])
    assert len(other["x"]) != len(one["x"]) or (other["x"] != one["x"]).any()
    assert one["click"].sum() == columns["click"].sum()
    np.testing.assert_allclose(one[ROW_WEIGHT], np.where(one["click"] == 1, 1.0, 10.0))
    # On the mean, the sum of what is kept is the sum of all.
    assert one[ROW_WEIGHT].sum() == pytest.approx(8_000, rel=0.1)


WATCHED = (
    TaskSpec("click", "click"),
    TaskSpec("watch", "watch", kind="regression", shift=100.0, scale=32.0),
    TaskSpec("spent", "spent", kind="regression", loss="log_normal", shift=3.0, scale=1.2),
)


def _watched(rows, seed):
    """Minutes around 100 + 30 x; euros whose logarithm is 3 + 0.8 y, with deviation 0.8."""
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, rows))
    return {
        "x": x.astype("float32"),
        "y": y.astype("float32"),
        "click": (random.random(rows) < _sigmoid(x + y)).astype("int64"),
        "watch": (100 + 30 * x + 10 * random.normal(size=rows)).astype("float32"),
        "spent": np.exp(3 + 0.8 * y + 0.8 * random.normal(size=rows)).astype("float32"),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_numbers_are_predicted_in_their_own_unit_beside_a_click(seed):
    training = _fitted(WATCHED, _watched(10_000, seed), seed, 20)
    held_out = _watched(30_000, 10**6)
    predicted = training.predict(held_out)["probabilities"]
    click, watch, spent = predicted.T
    best = area_under_curve(held_out["click"], held_out["x"] + held_out["y"])
    assert area_under_curve(held_out["click"], click) > best - 0.01
    error = np.sqrt(np.mean((watch - held_out["watch"]) ** 2))
    expected = np.exp(3 + 0.8 * held_out["y"] + 0.32)
    print(seed, error, spent.mean() / held_out["spent"].mean(), np.corrcoef(spent, expected))
    assert error < 11.0, "10 is the best possible"
    assert 0.9 < spent.mean() / held_out["spent"].mean() < 1.1
    assert np.corrcoef(np.log(spent), np.log(expected))[0, 1] > 0.98
