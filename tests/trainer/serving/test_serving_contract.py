"""The contract inside a SavedModel, read again."""

import json

import pytest

from mtlx.trainer.serving.serving_contract import (
    SERVING_CONTRACT_FILE,
    read_serving_contract,
    write_serving_contract,
)


def test_a_trained_model_holds_its_contract(trained, contract):
    assert read_serving_contract(str(trained.model)) == contract


def test_a_model_without_one_has_none(tmp_path):
    assert read_serving_contract(str(tmp_path)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"format": 4},
        {"data_contract": {"features": {}, "tasks": {}}},
        {"data_contract": None},
        {"format": None},
    ],
)
def test_what_it_cannot_read_is_refused_by_path(contract, tmp_path, change):
    write_serving_contract(str(tmp_path), contract)
    path = tmp_path / SERVING_CONTRACT_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match="serving_contract.json is no contract"):
        read_serving_contract(str(tmp_path))
