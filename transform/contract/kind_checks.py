"""What is wrong with features that name each other: weights, crosses, and what is not served.

Each gives one sentence per problem, beginning with the key path.
"""

from typing import TYPE_CHECKING

from mtlx.transform.config.names import suggest
from mtlx.transform.contract.features import MultipleFeature, SequenceFeature, WeightsFeature

if TYPE_CHECKING:  # It asks these.
    from mtlx.transform.contract.data_contract import ContractSections


def weights_problems(contract: "ContractSections") -> list[str]:
    """Weights of what has one value, or none, and of what has weights already."""
    several = [n for n, f in contract.features.items() if isinstance(f, MultipleFeature)]
    problems, owners = [], set()
    for name, feature in contract.features.items():
        if isinstance(feature, WeightsFeature):
            if feature.of not in several:
                problems.append(
                    f"features.{name}.of {feature.of!r} is no feature with multiple: true, "
                    f"{suggest(feature.of, several)}"
                )
            elif feature.of in owners:
                problems.append(f"features.{name}: {feature.of!r} has other weights already")
            owners.add(feature.of)
    return problems


def cross_problems(contract: "ContractSections") -> list[str]:
    """Crosses of what has no text of its own in every row."""
    problems = [
        f"features.{name} is named twice, as a cross and as a column of the log"
        for name in contract.crosses
        if name in contract.features
    ]
    for name, cross in contract.crosses.items():
        for of in cross.of:
            if of not in contract.single_values:
                found = contract.features.get(of)
                what = "a cross" if of in contract.crosses else found.form if found else None
                known = f" (it is {what})" if what else ""
                problems.append(
                    f"features.{name}.of {of!r} is no categorical feature with one "
                    f"value{known}, {suggest(of, contract.single_values)}"
                )
    return problems


def training_only_problems(contract: "ContractSections") -> list[str]:
    """What a served model cannot do without."""
    problems = []
    left = [
        n for n, f in contract.features.items() if n not in contract.training_only and f.is_read
    ]
    if contract.training_only and not left:
        problems.append("features: every one is known only when training; a model reads none")
    needed = [("target_item", contract.target_item)]
    needed.append(("domain.feature", contract.domain.feature if contract.domain else None))
    needed += [
        (f"{contract.written(name)}.of", feature.item)
        for name, feature in contract.features.items()
        if isinstance(feature, SequenceFeature)
    ]
    return problems + [
        f"{key} {name!r} has serve_as or dropped, and a served model must be given it: leave "
        "that out"
        for key, name in needed
        if name in contract.training_only
    ]
