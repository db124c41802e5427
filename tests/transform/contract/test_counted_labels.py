"""After how many spans labels are known, also those that follow on others."""

import json

import pytest

from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.counted_labels import UNKNOWN, unknown_labels
from mtlx.transform.contract.data_contract import DataContract


def _contract(**tasks):
    features = {"item": {"kind": "categorical"}}
    named = {name: {"label": name, **task} for name, task in tasks.items()}
    return DataContract.read({"features": features, "tasks": named})


def test_what_follows_on_a_label_is_not_known_before_it():
    contract = _contract(
        click={},
        cart={"after": "click", "matures_after": 2},
        buy={"after": "cart", "matures_after": 1},
        rated={"population": "cart"},
        like={"after": "click", "matures_after": 3},
    )
    late = {"click": 0, "cart": 2, "buy": 2, "rated": 2, "like": 3}
    assert contract.matures_after == late
    assert {task.name: task.matures_after for task in contract.task_specs} == late
    assert contract.has_late_labels and not _contract(click={}).has_late_labels


def test_a_label_is_known_so_many_spans_later():
    contract = _contract(click={}, buy={"matures_after": 2})
    assert unknown_labels(contract, [9, 7, 8, 10], 10) == {
        9: {"buy": UNKNOWN},
        10: {"buy": UNKNOWN},
    }
    assert unknown_labels(_contract(click={}), [9, 10], 10) == {}


def test_a_contract_without_late_labels_is_written_as_it_always_was():
    plain = json.loads(_contract(click={}).to_json())["tasks"]["click"]
    assert plain == {
        "label": "click", "after": None, "population": None, "allow_without_parent": False
    }  # fmt: skip
    late = _contract(click={"matures_after": 1})
    assert DataContract.from_json(late.to_json()) == late


@pytest.mark.parametrize("value", [-1, 1.5, "soon"])
def test_it_is_a_whole_number(value):
    with pytest.raises(SettingsError, match="matures_after"):
        _contract(click={"matures_after": value})
