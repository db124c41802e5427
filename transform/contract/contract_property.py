"""The data contract where TFX carries strings: execution properties and ``custom_config``.

JSON stands at these borders alone; within a process the record itself is handed on.
"""

from collections.abc import Mapping
from typing import Any

from mtlx.transform.contract.data_contract import DataContract

#: Name of the execution property of every component that reads the contract, and key of the
#: ``custom_config`` of stock components.
CONTRACT_PROPERTY = "data_contract"


def contract_of(properties: Mapping[str, Any]) -> DataContract:
    """The contract among execution properties, or in a ``custom_config``.

    Raises:
        KeyError: there is none.
        SettingsError: it is none.
    """
    return DataContract.from_json(properties[CONTRACT_PROPERTY])


def contract_config(contract: DataContract) -> dict[str, str]:
    """Inverse of `contract_of`: a ``custom_config`` that holds the contract."""
    return {CONTRACT_PROPERTY: contract.to_json()}
