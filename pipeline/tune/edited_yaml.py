"""Changes one value of a YAML text, and leaves the rest of the text alone."""

import math
from typing import Any

import yaml

from mtlx.pipeline.experiment.experiment_yaml import KeyPath


class CannotEdit(ValueError):
    """The text is written in a way that is not edited here."""


def edited(text: str, key: KeyPath, value: Any) -> str:
    """The text with another value at a key path, which is added where it is not there.

    Args:
        text: YAML of a mapping.
        key: steps; the number of an entry where a list is.
        value: plain.

    Raises:
        CannotEdit: such as where the key lies in an alias.
    """
    node, rest = yaml.compose(text, Loader=yaml.SafeLoader), list(key)
    while rest:
        below = _below(node, rest[0])
        if below is None:
            break
        node, rest = below, rest[1:]
    if not rest or not isinstance(node, yaml.MappingNode) or not node.value:
        for step in reversed(rest):
            value = {step: value}
        return _replaced(text, node, value)
    for step in reversed(rest[1:]):
        value = {step: value}
    return _added(text, node, rest[0], value)


def yaml_text(value: Any, flow: bool = True) -> str:
    """YAML of a value, in one line or as a block."""
    text: str = yaml.safe_dump(
        value, default_flow_style=flow, width=math.inf, sort_keys=False, allow_unicode=True
    )
    return text.removesuffix("...\n").strip() if flow else text


def _below(node: yaml.Node, step: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode):
        if not step.isdigit() or int(step) >= len(node.value):
            raise CannotEdit(f"there is no entry {step}")
        return node.value[int(step)]
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    return None


def _replaced(text: str, node: yaml.Node, value: Any) -> str:
    start, end = node.start_mark.index, _end(node)
    before = text[:start]
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        before = before.rstrip()  # A block may begin below its key; a line of it may not.
    # An empty value has its place right behind the colon.
    space = "" if not before or before[-1].isspace() else " "
    return f"{before}{space}{yaml_text(value)}{text[end:]}"


def _added(text: str, node: yaml.MappingNode, key: str, value: Any) -> str:
    entry = yaml_text({key: value})[1:-1]
    end = _end(node)
    if node.flow_style:
        return f"{text[: end - 1].rstrip()}, {entry}{text[end - 1 :]}"
    line_end = text.find("\n", end)
    place = len(text) if line_end < 0 else line_end
    return f"{text[:place]}\n{' ' * node.start_mark.column}{entry}{text[place:]}"


def _end(node: yaml.Node) -> int:
    """Behind the last character of a value; that of a block reaches to what comes next."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        raise CannotEdit("a text of several lines ends where it is not seen")
    index: int = node.end_mark.index
    return index
