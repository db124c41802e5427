"""Which of the model's inputs each feature of the data contract became."""

from collections.abc import Iterable

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import SequenceFeature, WeightsFeature
from mtlx.transform.contract.model_inputs import DOMAIN_ID


def feature_columns(contract: DataContract, keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The model's inputs by feature; what is made of one feature stands and falls together.

    A sequence has what stands beside it, several values have their weights, a number in several
    forms all of them, and the domains' feature the domain's index. A cross is a feature of its own.
    What is known only when training is the same in all rows that are served, and left out; a cross
    of it with what is asked for is not.

    Args:
        contract: the data contract.
        keys: of the model's inputs.

    Returns:
        By feature, in the contract's order, crosses last; features that the model does not read
        are left out.
    """
    alike = set(contract.training_only)
    crosses = [name for name, cross in contract.crosses.items() if set(cross.of) - alike]
    names = (*contract.served.features, *crosses)
    found: dict[str, list[str]] = {name: [] for name in names}
    for key in keys:
        owner = _owner(key, contract)
        if owner in found:
            found[owner].append(key)
    return {name: tuple(columns) for name, columns in found.items() if columns}


def _owner(key: str, contract: DataContract) -> str | None:
    """The feature that an input was made of."""
    if key == DOMAIN_ID:
        several = contract.domain is not None and len(contract.domains) > 1
        return contract.domain.feature if contract.domain is not None and several else None
    if key in contract.crosses:
        return key
    named = [name for name in contract.features if key == name or key.startswith(f"{name}.")]
    if not named:
        return None
    name = max(named, key=len)
    feature = contract.features[name]
    if isinstance(feature, SequenceFeature) and feature.beside is not None:
        return feature.beside
    return feature.of if isinstance(feature, WeightsFeature) else name
