"""Which tasks and slices a threshold's wildcards name, measured or expected."""

import fnmatch

from components.slice_evaluation.slices import DOMAIN_ALIAS
from transform.data_contract import DataContract


def expand_slices(pattern: str, measured: tuple[str, ...], contract: DataContract) -> list[str]:
    """Returns the slices that a threshold holds for.

    The domains of the data contract are expected even where the evaluated split has no row of
    one: that domain must not slip through the gate unseen.

    Args:
        pattern: as in `Threshold.slice`.
        measured: slices that the evaluation has, in its order.
        contract: names the domains.

    Returns:
        Measured slices, then expected ones that were not measured.
    """
    names = [*measured, *_expected_domains(pattern, measured, contract)]
    return [name for name in dict.fromkeys(names) if _matches(name, pattern)]


def _expected_domains(pattern: str, measured: tuple[str, ...], contract: DataContract) -> list[str]:
    """All domain slices under the key that the pattern or the evaluation uses."""
    if contract.domain is None:
        return []
    named = (pattern, *measured) if pattern == "*" else (pattern,)
    single = {name.partition("=")[0] for name in named if len(_pairs(name)) == 1 and "=" in name}
    keys = [key for key in (DOMAIN_ALIAS, contract.domain.feature) if key in single]
    return [f"{key}={value}" for key in keys for value in contract.domain.values]


def _matches(name: str, pattern: str) -> bool:
    """A cross matches a pattern with as many keys, each key and value for itself."""
    if pattern in ("*", name):
        return True
    parts, patterns = _pairs(name), _pairs(pattern)
    return len(parts) == len(patterns) and all(
        fnmatch.fnmatchcase(part, wanted) for part, wanted in zip(parts, patterns, strict=True)
    )


def _pairs(name: str) -> list[str]:
    """Splits ``domain=feed,gender=f``; a comma inside a value starts no new pair."""
    pairs: list[str] = []
    for part in name.split(","):
        if pairs and "=" not in part:
            pairs[-1] += f",{part}"
        else:
            pairs.append(part)
    return pairs
