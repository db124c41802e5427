"""Whether, and where, a threshold of the gate names slices that can exist."""

from mtlx.components.relaimp_gate.slice_pattern import SlicePattern, pattern_pairs
from mtlx.components.relaimp_gate.wildcards import matches
from mtlx.components.slice_evaluation.settings import EvaluationSettings
from mtlx.components.slice_evaluation.slices import OVERALL, resolve_crosses
from mtlx.transform.config.names import suggest
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.name_checks import DOMAIN_ALIAS

#: Characters that make a text a pattern.
_WILDCARDS = "*?"


def threshold_problem(
    pattern: SlicePattern, evaluation: EvaluationSettings, contract: DataContract
) -> str | None:
    """What is wrong with the slices that a threshold names.

    Args:
        pattern: as in `mtlx.components.relaimp_gate.settings.Threshold.slice`.
        evaluation: says which crosses are measured; it has been checked.
        contract: names the domains.

    Returns:
        The rest of a sentence that begins with the pattern; None where slices may match.
    """
    if pattern in (OVERALL, "*"):
        return None
    crosses = [cross.keys for cross in resolve_crosses(evaluation, contract)]
    if isinstance(pattern, str) and "=" not in pattern:
        return f"is no slice: write overall, * or key=value. Measured are {_listing(crosses)}"
    matching = [
        (cross, values)
        for cross in crosses
        if (values := value_patterns(pattern, cross, contract)) is not None
    ]
    if not matching:
        return _no_cross([key for key, _ in _pairs(pattern, contract)], crosses, contract)
    return _no_domain(matching, contract)


def value_patterns(
    pattern: SlicePattern, cross: tuple[str, ...], contract: DataContract
) -> tuple[str, ...] | None:
    """What a threshold asks of the values of a cross, in the cross's order.

    Args:
        pattern: as in `mtlx.components.relaimp_gate.settings.Threshold.slice`.
        cross: keys of a measured cross; none for the overall slice.
        contract: names the features.

    Returns:
        A pattern per key; None where the threshold does not mean slices of this cross.
    """
    if pattern == "*":
        return ("*",) * len(cross)
    if pattern == OVERALL:
        return None if cross else ()
    if not isinstance(pattern, str):
        fits = pattern.keys() == set(cross)
        return tuple(pattern[name] for name in cross) if fits else None
    pairs = _pairs(pattern, contract)
    fits = len(cross) == len(pairs) and all(
        matches(name, key) for name, (key, _) in zip(cross, pairs, strict=True)
    )
    return tuple(value for _, value in pairs) if fits else None


def _pairs(pattern: SlicePattern, contract: DataContract) -> list[tuple[str, str]]:
    """Keys and values; a comma starts a new pair only where a key and ``=`` stand behind it."""
    names = sorted({DOMAIN_ALIAS, *contract.features}, key=len, reverse=True)
    return list(pattern_pairs(pattern, names))


def _listing(crosses: list[tuple[str, ...]]) -> str:
    return " and ".join([OVERALL, *(",".join(f"{key}=*" for key in cross) for cross in crosses)])


def _no_cross(keys: list[str], crosses: list[tuple[str, ...]], contract: DataContract) -> str:
    """Why no configured cross has these keys."""
    known = contract.single_values
    known += [DOMAIN_ALIAS] if contract.domain else []
    for key in keys:
        if key not in known and not any(mark in key for mark in _WILDCARDS):
            return f"names no categorical feature: {key!r}, {suggest(key, known)}"
    return (
        f"is not measured: add [{', '.join(keys)}] to evaluation.slices, in this order. "
        f"Measured are {_listing(crosses)}"
    )


def _no_domain(
    matching: list[tuple[tuple[str, ...], tuple[str, ...]]], contract: DataContract
) -> str | None:
    """Which value is none of the domain's, where all crosses that match have the domain there."""
    if contract.domain is None:
        return None
    names = (DOMAIN_ALIAS, contract.domain.feature)
    for index, value in enumerate(matching[0][1]):
        of_domain = all(cross[index] in names for cross, _ in matching)
        if of_domain and not any(matches(domain, value) for domain in contract.domains):
            return f"can match nothing: {value!r} is no domain, {suggest(value, contract.domains)}"
    return None
