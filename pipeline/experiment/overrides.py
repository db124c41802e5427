"""Settings that replace those of the file: ``--set section.key=value``, `kubeflow.settings`."""

from collections.abc import Iterable
from typing import Any

from mtlx.pipeline.experiment.experiment_yaml import KeyPath, YamlError, parse_yaml
from mtlx.transform.config.names import suggest


class OverrideError(ValueError):
    """An override is wrong; the message says how, but does not name the override."""


def parse_override(text: str, sections: Iterable[str]) -> tuple[KeyPath, Any]:
    """Takes ``a.b.c=value`` apart; the value is YAML.

    Args:
        text: the override.
        sections: the names that the key may begin with.

    Returns:
        The key path, and the value.

    Raises:
        OverrideError: no such form, no such section, or a value that is no YAML.
    """
    key, separator, value = text.partition("=")
    path = tuple(key.split("."))
    if not separator or not all(part.strip() for part in path):
        raise OverrideError("expected section.key=value, for example training.epochs=3")
    if path[0] not in (known := list(sections)):
        raise OverrideError(f"unknown section {path[0]!r}, {suggest(path[0], known)}")
    try:
        return path, parse_yaml(value).values
    except YamlError as error:
        if path[0] == "notify":  # which may be the address of a webhook, and that a secret
            raise OverrideError("its value is no valid YAML") from None
        raise OverrideError(f"the value {value[:60]!r} is wrong: {error}") from error


def put(values: dict[str, Any], path: KeyPath, value: Any) -> None:
    """Sets one nested value in place; what it lies in is copied, what is not there begins.

    Args:
        values: nested mappings and lists.
        path: keys; the number of an entry, from 0, where a list is.
        value: what to put there.

    Raises:
        OverrideError: something on the way has no settings below it, or a list no such entry.
    """
    place: Any = values  # A mapping, or a list, whose keys are numbers.
    for depth, step in enumerate(path):
        key: Any = _entry(place, path, depth) if isinstance(place, list) else step
        if depth == len(path) - 1:
            place[key] = value
            return
        below = place[key] if isinstance(place, list) else place.get(key)
        if below is not None and not isinstance(below, dict | list):
            raise OverrideError(f"{step!r} has no settings below it")
        place[key] = list(below) if isinstance(below, list) else dict(below or {})
        place = place[key]


def _entry(entries: list[Any], path: KeyPath, depth: int) -> int:
    step, name = path[depth], ".".join(path[:depth])
    if not (step.isascii() and step.isdigit() and int(step) < len(entries)):
        raise OverrideError(
            f"{name} is a list of {len(entries)}: name an entry by its number from 0 on. "
            f"Received: {step!r}"
        )
    return int(step)
