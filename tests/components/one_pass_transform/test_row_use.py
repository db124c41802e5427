"""What rows count for by their age, which splits are drawn from, and what marks a number."""

import numpy as np
import pytest

from mtlx.components.one_pass_transform.example_transformer import _marked
from mtlx.components.one_pass_transform.row_use import RowUse
from mtlx.transform.contract.counted_labels import LEARNT, UNKNOWN
from mtlx.transform.contract.data_contract import DataContract


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


def test_a_number_that_does_not_count_is_none():
    columns = {"watch": np.float32([1, 2]), "buy": np.int64([0, 1])}
    unknown = _marked(columns, dict.fromkeys(columns, UNKNOWN))
    learnt = _marked(columns, dict.fromkeys(columns, LEARNT))
    assert np.isnan(unknown["watch"]).all() and np.isnan(learnt["watch"]).all()
    assert unknown["buy"].tolist() == [-1, -1] and learnt["buy"].tolist() == [2, 3]
