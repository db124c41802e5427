"""The contract at TFX's borders, and nowhere else, as JSON."""

import pytest

from mtlx.transform.contract.contract_property import (
    CONTRACT_PROPERTY,
    contract_config,
    contract_of,
)
from mtlx.transform.contract.data_contract import DataContract

CONTRACT = DataContract.read(
    {
        "features": {"item": {"kind": "categorical"}, "price": {"kind": "numeric"}},
        "tasks": {"click": {"label": "click"}},
    }
)


def test_the_contract_comes_back():
    config = contract_config(CONTRACT)
    assert list(config) == [CONTRACT_PROPERTY] == ["data_contract"]
    assert contract_of({**config, "other": 1}) == CONTRACT


def test_what_is_none_is_refused():
    with pytest.raises(KeyError, match="data_contract"):
        contract_of({})
    with pytest.raises(ValueError, match="features"):
        contract_of({CONTRACT_PROPERTY: '{"features": 3}'})
