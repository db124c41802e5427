"""A log whose behaviours are item and brand: read, transformed, exported, and scored in every way."""

import warnings
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.serving.scoring import Scorer, ScoringError
from mtlx.trainer.serving.serving_contract import read_serving_contract
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract
from tests.trainer import served_log

ROWS, LENGTH = 120, 3
CONTRACT = {
    "features": {
        "item": {"kind": "categorical"},
        "brand": {"kind": "categorical"},
        "clicks": {
            "kind": "sequence", "of": ["item", "brand"], "columns": ["items", "brands"],
            "max_length": LENGTH,
        },
    },
    "tasks": {"ctr": {"label": "click"}},
    "target_item": "item",
    "request_features": ["clicks"],
}  # fmt: skip


def _lists(random, prefix, lengths):
    return [[f"{prefix}{n}" for n in random.integers(0, 9, length)] for length in lengths]


def _random_model(contract, transformed):
    """Of an encoder that sees which values are together; a mean of their sums does not."""
    inputs = build_model_inputs(contract, transformed)
    settings = ModelSettings(
        network="shared_bottom",
        embedding_size=4,
        sequence_encoder="din",
        sequence_options={"hidden": [8], "softmax": True},
    )
    model = RankingModel(inputs, settings)
    for index, variable in enumerate(model.variables):
        shape = variable.shape
        table, bias = variable.path.endswith("table"), len(shape) < 2
        deviation = 1.0 if table else 0.1 if bias else 1.2 * shape[-2] ** -0.5
        variable.assign(keras.random.normal(variable.shape, stddev=deviation, seed=index))
    return model


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The model, its log, what LogExampleGen wrote of it, and the trained model's own answers."""
    folder = tmp_path_factory.mktemp("behaviours")
    (folder / "logs").mkdir()
    random, lengths = np.random.default_rng(1), np.arange(ROWS) % 6
    columns = {"items": _lists(random, "i", lengths), "brands": _lists(random, "b", lengths)}
    columns["items"][5][3] = columns["brands"][5][4] = columns["brands"][11][1] = None
    columns["items"][17][2] = columns["brands"][17][2] = None  # tells nothing
    frame = pd.DataFrame(
        {
            "item": [f"i{n}" for n in random.integers(0, 9, ROWS)],
            "brand": [f"b{n}" for n in random.integers(0, 9, ROWS)],
            **columns,
            "click": random.integers(0, 2, ROWS),
        }
    )
    frame.to_parquet(folder / "logs" / "log.parquet")
    contract = DataContract.read(CONTRACT)
    examples = served_log._ingest(folder, contract, "log")
    transformed = served_log._transform(folder, contract, "log")
    model = _random_model(contract, transformed)
    ServedModel(model, transformed, contract).save(str(folder / "model"))
    trained = model(served_log._training_rows(folder, transformed))["probabilities"].numpy()
    signatures = tf.saved_model.load(str(folder / "model")).signatures
    return SimpleNamespace(
        folder=str(folder / "model"), frame=frame, examples=examples, trained=trained[:, 0],
        contract=contract, signatures=signatures,
    )  # fmt: skip


@pytest.fixture(scope="module")
def scorer(shop):
    return Scorer(shop.folder)


def _by_examples(shop, examples):
    return shop.signatures["serving_default"](tf.constant(examples))["ctr"].numpy()


def _example(**lists):
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                name.replace("__", "."): tf.train.Feature(
                    bytes_list=tf.train.BytesList(value=[value.encode() for value in values])
                )
                for name, values in lists.items()
            }
        )
    ).SerializeToString()


def test_trained_model_signatures_and_scorer_agree(shop, scorer):
    expected = _by_examples(shop, shop.examples)
    np.testing.assert_allclose(expected[: len(shop.trained)], shop.trained, atol=1e-6)
    np.testing.assert_allclose(scorer.score(shop.frame)["ctr"], expected, atol=1e-6)
    assert len(np.unique(expected.round(5))) > 0.9 * ROWS
    texts = shop.frame.assign(
        **{
            name: ["|".join(item or "" for item in items) for items in shop.frame[name]]
            for name in ("items", "brands")
        }
    )
    np.testing.assert_allclose(scorer.score(texts)["ctr"], expected, atol=1e-6)
    assert read_serving_contract(shop.folder) == shop.contract


def test_every_value_stays_with_its_behaviour(shop, scorer):
    """Of the kept behaviours each value counts, in its place; what comes before does not."""
    row = {"item": ["i1"], "brand": ["b1"]}
    clicks, brands = ["i9", "i2", "i3", "i4"], ["b9", "b2", "", "b4"]
    expected = _by_examples(shop, [_example(**row, clicks=clicks, clicks__brand=brands)])
    swapped = ["b9", "b2", "b4", ""]
    for other, same in (
        ({"clicks": ["i8", *clicks[1:]]}, True),
        ({"clicks__brand": ["b8", *brands[1:]]}, True),
        (
            {"clicks": [*clicks[:1], "", *clicks[1:]], "clicks__brand": ["b7", "", *brands[1:]]},
            True,
        ),
        ({"clicks__brand": swapped}, False),
        ({"clicks__brand": ["b9", "b2", "b3", "b4"]}, False),
        ({"clicks": ["i9", "i2", "", "i4"]}, False),
    ):
        lists = {"clicks": clicks, "clicks__brand": brands, **other}
        found = _by_examples(shop, [_example(**row, **lists)])
        assert (np.abs(found - expected).max() < 1e-7) == same, other
        columns = {name.replace("__", "_"): tf.constant([x]) for name, x in lists.items()}
        ones = {name: tf.constant(value) for name, value in row.items()}
        by_columns = shop.signatures["serving_columns"](**ones, **columns)["ctr"].numpy()
        np.testing.assert_allclose(by_columns, found, atol=1e-7)
        frame = pd.DataFrame(
            {"item": ["i1"], "brand": ["b1"], "items": [lists["clicks"]],
             "brands": [lists["clicks__brand"]]}
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unknown values
            np.testing.assert_allclose(scorer.score(frame)["ctr"], found, atol=1e-7)


def test_unequal_lengths_are_refused_by_every_way(shop, scorer):
    row = {"item": ["i1"], "brand": ["b1"]}
    fine = _example(**row, clicks=["i1", "i2"], clicks__brand=["b1", ""])
    wrong = _example(**row, clicks=["i1", "i2"], clicks__brand=["b1"])
    message = (
        r"Feature clicks.brand has 1 values at position 1 \(counted from 0\), and clicks has 2: "
        "give one of each per behaviour"
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        _by_examples(shop, [fine, wrong])
    with pytest.raises(ScoringError, match="example at position 1.*Feature clicks.brand has 1"):
        scorer.score_examples([fine, wrong])
    lacking = _example(**row, clicks=["i1", "i2"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="Feature clicks.brand has 0 values"):
        _by_examples(shop, [lacking])
    assert _by_examples(shop, [_example(**row)]).shape == (1,)
    ones = {name: tf.constant(value) for name, value in row.items()}
    with pytest.raises(tf.errors.InvalidArgumentError, match="clicks.brand has 1 values"):
        shop.signatures["serving_columns"](
            **ones, clicks=tf.constant([["i1", "i2"]]), clicks_brand=tf.constant([["b1"]])
        )
    frame = shop.frame.head(3).assign(
        items=[["i1"], ["i1", "i2"], []], brands=[["b1"], ["b1"], [None]]
    )
    with pytest.raises(
        ScoringError, match="column 'brands', position 1: 1 values, and column 'items' has 2: give"
    ):
        scorer.score(frame)
    assert len(scorer.score(frame.drop(index=1))) == 2


def test_counts_are_of_values_that_are_there(shop):
    scorer = Scorer(shop.folder)
    frame = shop.frame.head(1).assign(items=[["i1", None, "i2"]], brands=[["b1", "bx", "b2"]])
    scorer.score(frame)
    counts = scorer.counts()
    assert counts.loc["clicks", "present"] == 2 and counts.loc["clicks", "unknown"] == 0
    assert counts.loc["clicks.brand", "present"] == 3
    assert counts.loc["clicks.brand", "unknown"] == 1
