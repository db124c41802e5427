"""Which slices a threshold's wildcards name, measured or expected."""

from collections.abc import Iterable, Mapping

from mtlx.components.relaimp_gate.wildcards import matches
from mtlx.components.slice_evaluation.slices import OVERALL, SliceKey
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.name_checks import DOMAIN_ALIAS

#: As `Threshold.slice`: text, or a pattern per feature.
SlicePattern = str | Mapping[str, str]


def expand_slices(
    pattern: SlicePattern, measured: Iterable[SliceKey], contract: DataContract
) -> list[SliceKey]:
    """Returns the slices that a threshold holds for, matched feature by feature.

    The domains of the data contract are expected even where the evaluated split has no row of
    one: that domain must not slip through the gate unseen, alone or in a cross.

    Args:
        pattern: as in `Threshold.slice`.
        measured: slices that the evaluation has, in its order.
        contract: names the features and the domains.

    Returns:
        Measured slices, then expected ones that were not measured.
    """
    measured = list(measured)
    if pattern == "*":
        return list(dict.fromkeys([*measured, *_expected_of_all(measured, contract)]))
    wanted = pattern_pairs(pattern, _known_keys(measured, contract))
    if not isinstance(pattern, str):
        wanted = _in_measured_order(wanted, measured)
    found = [key for key in measured if _names(wanted, key)]
    return [*found, *_expected(wanted, measured, contract)]


def _expected_of_all(measured: list[SliceKey], contract: DataContract) -> list[SliceKey]:
    """Every domain, under the names that the evaluation uses."""
    used = {key[0][0] for key in measured if len(key) == 1}
    domain = contract.domain
    names = (DOMAIN_ALIAS, domain.feature) if domain else ()
    return [((name, value),) for name in names if name in used for value in contract.domains]


def _expected(wanted: SliceKey, measured: list[SliceKey], contract: DataContract) -> list[SliceKey]:
    """What a pattern asks of domains of which no row was measured, in whichever slices.

    In a cross the other features keep their pattern: which of their values the domain would have
    had is not known. A cross that is not measured at all has matched nothing, and that is said.
    """
    names = [name for name, _ in wanted]
    crossed = len(wanted) > 1
    if contract.domain is None or (
        crossed and not any([name for name, _ in key] == names for key in measured)
    ):
        return []
    missing = []
    for place, (name, value_pattern) in enumerate(wanted):
        if name not in (DOMAIN_ALIAS, contract.domain.feature):
            continue
        seen = {value for key in measured for other, value in key if other == name}
        missing += [
            (*wanted[:place], (name, value), *wanted[place + 1 :])
            for value in contract.domains
            if matches(value, value_pattern) and value not in seen
        ]
    return missing


def _names(wanted: SliceKey, key: SliceKey) -> bool:
    """A cross matches a pattern with as many keys, each key and value for itself."""
    return len(wanted) == len(key) and all(
        matches(name, name_pattern) and matches(value, value_pattern)
        for (name, value), (name_pattern, value_pattern) in zip(key, wanted, strict=True)
    )


def _known_keys(measured: list[SliceKey], contract: DataContract) -> list[str]:
    names = {name for key in measured for name, _ in key}
    return sorted({DOMAIN_ALIAS, *names, *contract.features}, key=len, reverse=True)


def pattern_pairs(pattern: SlicePattern, known: list[str]) -> SliceKey:
    """Takes ``domain=feed,gender=f`` apart.

    A comma starts a new pair only where the name of a feature and ``=`` stand behind it, so that
    a value may hold commas and equality signs.

    Args:
        pattern: as in `Threshold.slice`.
        known: names of features and their aliases, longer ones before shorter ones.
    """
    if not isinstance(pattern, str):
        return tuple(pattern.items())
    if pattern == OVERALL:
        return ()
    starts = [0]
    for place, character in enumerate(pattern):
        behind = pattern[place + 1 :]
        if character == "," and any(behind.startswith(f"{name}=") for name in known):
            starts.append(place + 1)
    texts = [
        pattern[start : (end - 1 if end else None)]
        for start, end in zip(starts, [*starts[1:], None], strict=True)
    ]
    return tuple(_pair(text, known) for text in texts)


def _pair(text: str, known: list[str]) -> tuple[str, str]:
    for name in known:
        if text.startswith(f"{name}="):
            return name, text[len(name) + 1 :]
    name, _, value = text.partition("=")
    return name, value


def _in_measured_order(wanted: SliceKey, measured: list[SliceKey]) -> SliceKey:
    """A mapping has no order of its own: that of the cross with these features is taken."""
    patterns = dict(wanted)
    for key in measured:
        names = [name for name, _ in key]
        if len(names) == len(patterns) and set(names) == set(patterns):
            return tuple((name, patterns[name]) for name in names)
    return wanted
