"""Whether a threshold of the gate names slices that can exist."""

import fnmatch

from components.slice_evaluation.settings import EvaluationSettings
from components.slice_evaluation.slices import DOMAIN_ALIAS, OVERALL, resolve_crosses
from transform.data_contract import DataContract
from transform.names import suggest

#: Characters that make a text a pattern.
_WILDCARDS = "*?["


def threshold_problem(
    pattern: str, evaluation: EvaluationSettings, contract: DataContract
) -> str | None:
    """What is wrong with the slices that a threshold names.

    Args:
        pattern: as in `components.relaimp_gate.settings.Threshold.slice`.
        evaluation: says which crosses are measured; it has been checked.
        contract: names the domains.

    Returns:
        The rest of a sentence that begins with the pattern; None where slices may match.
    """
    if pattern in (OVERALL, "*"):
        return None
    crosses = [cross.keys for cross in resolve_crosses(evaluation, contract)]
    if "=" not in pattern:
        measured = _listing(crosses)
        return f"is no slice: write overall, * or key=value. Measured are {measured}"
    pairs = _pairs(pattern)
    keys = tuple(key for key, _ in pairs)
    matching = [cross for cross in crosses if _match(cross, keys)]
    if not matching:
        return _no_cross(keys, crosses, contract)
    return _no_domain(pairs, matching, contract)


def _pairs(pattern: str) -> list[tuple[str, str]]:
    """Keys and values; a comma inside a value starts no new pair."""
    parts: list[str] = []
    for part in pattern.split(","):
        if parts and "=" not in part:
            parts[-1] += f",{part}"
        else:
            parts.append(part)
    return [(key, value) for key, _, value in (part.partition("=") for part in parts)]


def _match(cross: tuple[str, ...], keys: tuple[str, ...]) -> bool:
    return len(cross) == len(keys) and all(
        fnmatch.fnmatchcase(name, key) for name, key in zip(cross, keys, strict=True)
    )


def _listing(crosses: list[tuple[str, ...]]) -> str:
    return " and ".join([OVERALL, *(",".join(f"{key}=*" for key in cross) for cross in crosses)])


def _no_cross(
    keys: tuple[str, ...], crosses: list[tuple[str, ...]], contract: DataContract
) -> str:
    """Why no configured cross has these keys."""
    known = [name for name, feature in contract.features.items() if feature.kind == "categorical"]
    known += [DOMAIN_ALIAS] if contract.domain else []
    for key in keys:
        if key not in known and not any(mark in key for mark in _WILDCARDS):
            return f"names no categorical feature: {key!r}, {suggest(key, known)}"
    return (
        f"is not measured: add [{', '.join(keys)}] to evaluation.slices, in this order. "
        f"Measured are {_listing(crosses)}"
    )


def _no_domain(
    pairs: list[tuple[str, str]], matching: list[tuple[str, ...]], contract: DataContract
) -> str | None:
    """Which value is none of the domain's, where all crosses that match have the domain there."""
    if contract.domain is None:
        return None
    names = (DOMAIN_ALIAS, contract.domain.feature)
    for index, (_, value) in enumerate(pairs):
        if not all(cross[index] in names for cross in matching):
            continue
        if not any(fnmatch.fnmatchcase(domain, value) for domain in contract.domain.values):
            if value not in contract.domain.values:  # written out, a pattern's marks are a name's
                return (
                    f"can match nothing: {value!r} is no domain, "
                    f"{suggest(value, contract.domain.values)}"
                )
    return None
