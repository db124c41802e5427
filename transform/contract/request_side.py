"""Which features are the same for all items of a request, and which are each item's own."""

from typing import TYPE_CHECKING

from mtlx.transform.config.names import suggest
from mtlx.transform.contract.features import SequenceFeature, WeightsFeature

if TYPE_CHECKING:  # It asks these.
    from mtlx.transform.contract.data_contract import ContractSections


def request_side(contract: "ContractSections") -> tuple[str, ...]:
    """Names of the features that a request has once, in the contract's order.

    Weights go with what they are of, values of behaviours with what they are beside.

    Args:
        contract: the features, and its `request_features`.
    """
    named = set(contract.request_features)
    return tuple(
        name
        for name, feature in contract.features.items()
        if name in named or _goes_with(feature) in named
    )


def request_problems(contract: "ContractSections") -> list[str]:
    """What can't be the same for all items of a request; one sentence per problem."""
    named, problems = contract.request_features, []
    if len(set(named)) < len(named):
        problems.append(f"request_features names a feature twice: {list(named)}")
    for name in dict.fromkeys(named):
        problem = _problem(contract, name)
        if problem:
            problems.append(f"request_features names {name!r}, {problem}")
    side = set(request_side(contract))
    if named and not problems and side.issuperset(contract.served.features):
        problems.append(
            "request_features names all features of a request, and leaves none by which its items "
            "differ: leave out those that are an item's"
        )
    return problems


def _problem(contract: "ContractSections", name: str) -> str | None:
    """What is wrong with one name."""
    if name in contract.crosses:
        return "which is a cross and has no column of its own: name the features that it is of"
    if name not in contract.features:
        return f"which is no feature, {suggest(name, list(contract.features))}"
    if name == contract.target_item:
        return "which is the target item: a request has many of them"
    if name in contract.training_only:
        return "which is known only when training (serve_as, dropped): no request has it"
    owner = _goes_with(contract.features[name])
    if owner is not None and owner not in contract.request_features:
        return f"which goes with {owner!r}: name that"
    return None


def _goes_with(feature: object) -> str | None:
    """The feature whose values a feature's stand beside, one for one."""
    if isinstance(feature, WeightsFeature):
        return feature.of
    return feature.beside if isinstance(feature, SequenceFeature) else None
