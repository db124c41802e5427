"""What is wrong with what features and labels are called, and with the columns that they read.

Each gives one sentence per problem, beginning with the key path.
"""

from typing import TYPE_CHECKING

from mtlx.transform.config.names import suggest
from mtlx.transform.contract.features import MultipleFeature, NumericFeature, SequenceFeature

if TYPE_CHECKING:  # It asks these.
    from mtlx.transform.contract.data_contract import ContractSections


def feature_problems(contract: "ContractSections") -> list[str]:
    """Names that stand for features which are not there, or are of another kind."""
    categorical = contract.single_values
    references: list[tuple[str, str | None]] = [("target_item", contract.target_item)]
    if contract.domain is not None:
        references.append(("domain.feature", contract.domain.feature))
    for name, feature in contract.features.items():
        if feature.kind == "sequence":
            references.append((f"{contract.written(name)}.of", feature.item))
    problems = [
        f"{key} {name!r} is no categorical feature{_although(contract, name)}, "
        f"{suggest(name, categorical)}"
        for key, name in references
        if name is not None and name not in categorical
    ]
    for name, feature in contract.features.items():
        if feature.kind == "sequence" and feature.item in categorical:
            if not contract.categorical(feature.item).embed:
                problems.append(f"{contract.written(name)}.of {feature.of!r} has embed: false")
    domains = contract.domain.values if contract.domain is not None else []
    if len(set(domains)) != len(domains):
        problems.append(f"domain.values names a domain twice: {domains}")
    return problems


def beside_problems(contract: "ContractSections") -> list[str]:
    """Values of behaviours that are not there, or that are cut to another length."""
    sequences = {n: f for n, f in contract.features.items() if isinstance(f, SequenceFeature)}
    first = [name for name, feature in sequences.items() if feature.beside is None]
    problems = []
    for name, feature in sequences.items():
        if feature.beside is None:
            continue
        if feature.beside not in first:
            problems.append(
                f"features.{name}.beside {feature.beside!r} is no sequence with behaviours of "
                f"its own, {suggest(feature.beside, first)}"
            )
            continue
        length = sequences[feature.beside].max_length
        if length != feature.max_length:
            problems.append(
                f"features.{name}.max_length is {feature.max_length}, but that of "
                f"{feature.beside!r}, beside which it stands, is {length}: take the same"
            )
        others = [sequences[part].of for part in contract.parts(feature.beside) if part != name]
        if feature.of in others:
            problems.append(
                f"features.{name}.of {feature.of!r} is what another sequence of the same "
                "behaviours has: take one of the two out"
            )
    return problems


def column_problems(contract: "ContractSections") -> list[str]:
    """Columns of two features, of a feature and a label, labels that are the same."""
    owner: dict[str, str] = {}
    labels: dict[str, str] = {}
    problems = []

    def both(key: str, other: str, column: str) -> str:
        return (
            f"{key} and {other} both use column {column!r}; "
            "a label or another feature must not leak into a feature. One number in several "
            "forms is one feature: transform: [zscore, quantile_buckets]"
        )

    for name, feature in contract.features.items():
        if getattr(feature, "mark", None) is not None:
            continue  # They stand in their feature's column.
        column, key = contract.column(name), contract.written(name)
        if column in owner:
            problems.append(both(key, owner[column], column))
        owner.setdefault(column, key)
    for name, task in contract.tasks.items():
        key, column = f"tasks.{name}.label", task.label_column
        # Several labels may be told by one column, where it is not the same label.
        other = owner.get(column) or labels.get(task.label_key)
        if other is not None:
            problems.append(both(key, other, column))
        labels.setdefault(task.label_key, key)
    return problems


def field_problems(contract: "ContractSections") -> list[str]:
    """Fields of a number in several forms that are called like something else."""
    taken = {name.lower(): f"features.{name}" for name in (*contract.features, *contract.crosses)}
    taken |= {
        task.label_key.lower(): f"tasks.{name}.label" for name, task in contract.tasks.items()
    }
    return [
        f"features.{name}: its field {field} is called like {taken[field.lower()]}; give that "
        "another name"
        for name, feature in contract.features.items()
        if isinstance(feature, NumericFeature)
        for field in feature.fields(name)
        if field != name and field.lower() in taken
    ]


def _although(contract: "ContractSections", name: str) -> str:
    """What a feature is that is meant to have one value."""
    several = isinstance(contract.features.get(name), MultipleFeature)
    return " with one value (it has multiple: true)" if several else ""
