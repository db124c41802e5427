"""What rows count for by their age, which splits are drawn from, and what marks a number."""

import numpy as np
import pytest
import tensorflow as tf

from mtlx.components.one_pass_transform.example_transformer import _marked
from mtlx.components.one_pass_transform.row_use import RowUse
from mtlx.transform.contract.counted_labels import LEARNT, UNKNOWN
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.rows.weight import DRAWN_WEIGHT, ROW_WEIGHT


def _contract(**sections):
    features = {"item": {"kind": "categorical"}}
    tasks = {"click": {"label": "clicked"}}
    return DataContract.read({"features": features, "tasks": tasks, **sections})


def test_rows_count_half_when_they_are_a_half_life_older():
    contract = _contract(weight={"column": "w", "half_life_spans": 3})
    decays = [RowUse.of(contract, "train", 10 - age, 10).decay for age in (0, 3, 6, 1)]
    assert decays == pytest.approx([1.0, 0.5, 0.25, 0.5 ** (1 / 3)])
    assert RowUse.of(contract, "validation", 7, 10).decay == 0.5
    assert RowUse.of(_contract(weight={"column": "w"}), "train", 7, 10) == RowUse()


def test_negatives_are_drawn_in_the_train_split_alone():
    contract = _contract(sampling={"task": "click", "negatives": 0.1})
    use = RowUse.of(contract, "train", 4, 4)
    assert use.sampling == contract.sampling and (use.label, use.span) == ("clicked", 4)
    assert RowUse.of(contract, "validation", 4, 4) == RowUse()
    whole = _contract(sampling={"task": "click", "negatives": 1.0})
    assert RowUse.of(whole, "train", 4, 4) == RowUse()


@pytest.mark.parametrize("correction", ["weights", "logit"])
def test_what_a_drawn_row_counts_for_stands_apart_where_a_logit_is_corrected(correction):
    contract = _contract(
        sampling={"task": "click", "negatives": 0.5, "correction": correction},
        weight={"half_life_spans": 1},
    )
    integers = lambda value: tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))  # noqa: E731
    rows = [
        tf.train.Example(
            features=tf.train.Features(feature={"clicked": integers(n % 2)})
        ).SerializeToString()
        for n in range(40)
    ]
    kept, factors = RowUse.of(contract, "train", 3, 4).draws("a.gz").take(tf.constant(rows))
    click = [tf.train.Example.FromString(row).features.feature["clicked"] for row in kept.numpy()]
    click = np.array([one.int64_list.value[0] for one in click])
    assert click.sum() == 20 and 4 < (click == 0).sum() < 16
    drawn = np.where(click, 1.0, 2.0)
    if correction == "weights":
        assert factors.keys() == {ROW_WEIGHT}
        np.testing.assert_allclose(factors[ROW_WEIGHT], 0.5 * drawn)
    else:
        np.testing.assert_allclose(factors[ROW_WEIGHT], 0.5)
        np.testing.assert_allclose(factors[DRAWN_WEIGHT], drawn)


def test_a_number_that_does_not_count_is_none():
    columns = {"watch": np.float32([1, 2]), "buy": np.int64([0, 1])}
    unknown = _marked(columns, dict.fromkeys(columns, UNKNOWN))
    learnt = _marked(columns, dict.fromkeys(columns, LEARNT))
    assert np.isnan(unknown["watch"]).all() and np.isnan(learnt["watch"]).all()
    assert unknown["buy"].tolist() == [-1, -1] and learnt["buy"].tolist() == [2, 3]
