"""YAML as experiment files use it: text in, plain values and the line of every key out."""

import contextlib
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer

#: An experiment file is a few pages of text.
_MOST_BYTES = 1 << 20
#: Mappings and lists within each other; an experiment needs a dozen.
_MOST_NESTED = 50
#: Values, those that aliases stand for counted each time.
_MOST_VALUES = 100_000

_TAGS = {
    f"tag:yaml.org,2002:{name}"
    for name in ("null", "bool", "int", "float", "str", "timestamp", "seq", "map", "merge")
}

KeyPath = tuple[str, ...]


class YamlError(ValueError):
    """Not the YAML of an experiment file.

    Attributes:
        problems: per problem the line, counted from 1 (None where it is the whole), and what is
            wrong.
    """

    def __init__(self, problems: list[tuple[int | None, str]]):
        self.problems = problems
        super().__init__("; ".join(text for _, text in problems))


@dataclass(frozen=True)
class YamlText:
    """A parsed text.

    Attributes:
        values: mappings with text as keys, lists, texts, finite numbers, dates, bools and None.
        lines: the line of every key and list entry, by key path.
    """

    values: Any
    lines: Mapping[KeyPath, int]


def read_text(path: str | Path) -> str:
    """Reads an experiment file.

    Raises:
        OSError: it can't be opened.
        YamlError: no file that could be an experiment: a folder, a device, too large, not UTF-8.
    """
    # Looked at before it is opened: a pipe would wait for its writer, a device never end.
    if not stat.S_ISREG(os.stat(path).st_mode):
        kind = "a folder" if os.path.isdir(path) else "a device or pipe"
        raise YamlError([(None, f"is {kind}; an experiment file is a text file")])
    with open(path, "rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        size = f"{os.path.getsize(path):,} bytes"
        raise YamlError([(None, f"is too large for an experiment file: {size}; is it a log?")])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text = f"byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise YamlError([(line, text)]) from error


def parse_yaml(text: str) -> YamlText:
    """Parses one YAML document of plain values.

    Raises:
        YamlError: broken syntax, a key that is no text or stands twice, a tag, an alias of itself
            or aliases that stand for too much, a number that is not finite, an impossible date,
            or nested too deep.
    """
    for quick in _QUICK if _ONLY_SLOWLY.isdisjoint(text) else ():
        with contextlib.suppress(YamlError, yaml.YAMLError, UnicodeError):
            return _parsed(quick(text))
    # Which tells what is wrong, if anything is, always in the same words.
    try:
        return _parsed(_Loader(text))
    except yaml.MarkedYAMLError as error:
        raise YamlError([_described(error)]) from error
    except yaml.YAMLError as error:
        # The reader's own errors: characters that YAML does not allow.
        position = getattr(error, "position", None)
        line = None if position is None else text.count("\n", 0, position) + 1
        reason = str(error).split("\n")[0]
        raise YamlError([(line, f"no valid YAML: {reason}")]) from error


def _parsed(loader: Any) -> YamlText:
    root = loader.get_single_node()
    if root is None:
        return YamlText(None, {})
    _check_size(root)
    lines: dict[KeyPath, int] = {}
    problems: list[tuple[int | None, str]] = []
    _collect(root, (), lines, problems)
    if problems:
        raise YamlError(problems)
    return YamlText(loader.construct_document(root), lines)


#: Whatever loader it is mixed into.
_OfLoader: Any = object


class _NamesPlaces(_OfLoader):
    """Part of a loader of PyYAML's that names the place of everything that it refuses."""

    _nested = 0

    def compose_node(self, parent: yaml.Node, index: Any) -> yaml.Node:
        """Refuses deep nesting, which ends PyYAML's recursion elsewhere with a traceback."""
        self._nested += 1
        if self._nested > _MOST_NESTED:
            mark = self.peek_event().start_mark
            raise _error(f"is nested more than {_MOST_NESTED} levels deep", mark)
        node = super().compose_node(parent, index)
        self._nested -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Names the value that has no meaning, such as the 31st of February."""
        try:
            value = super().construct_object(node, deep)
        except (ValueError, OverflowError, KeyError, AttributeError, TypeError) as error:
            shown = str(node.value)[:60]
            raise _error(
                f"{shown!r} looks like a {node.tag.rpartition(':')[2]}, but is none ({error}); "
                "put text into quotes",
                node.start_mark,
            ) from error
        if isinstance(value, float) and not math.isfinite(value):
            raise _error(f"{node.value} is no finite number", node.start_mark)
        return value


class _Loader(_NamesPlaces, yaml.loader.SafeLoader):
    """PyYAML's own, whose errors are in plain words."""


#: What the C library takes where PyYAML's own parser takes it for a fault: a tab, and ``?`` in the
#: middle of a word.
_ONLY_SLOWLY = frozenset("\t?")

#: Loaders that read by the C library, in a fifth of the time; not every build of PyYAML has it.
_QUICK: list[Any] = []
if hasattr(yaml, "CSafeLoader"):

    class _QuickLoader(_NamesPlaces, Composer, yaml.CSafeLoader):
        """The C library parses, PyYAML composes, which asks for every node here."""

        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Composer.__init__(self)

    _QUICK.append(_QuickLoader)


def _error(text: str, mark: yaml.Mark) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=text, problem_mark=mark)


def _described(error: yaml.MarkedYAMLError) -> tuple[int | None, str]:
    """One line of a parser's error, which comes as several."""
    mark = error.problem_mark or error.context_mark
    own = type(error) is yaml.MarkedYAMLError
    words = [part for part in (error.context, error.problem) if part]
    text = " ".join(", ".join(words).split())
    return (None if mark is None else mark.line + 1), text if own else f"no valid YAML: {text}"


def _check_size(root: yaml.Node) -> None:
    """Counts the values, aliases unfolded, without unfolding them."""
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if id(node) in open_nodes:
            raise _error("is an alias of what it stands in: it has no end", node.start_mark)
        if id(node) not in sizes:
            open_nodes.add(id(node))
            sizes[id(node)] = 1 + sum(size(child) for child in _children(node))
            open_nodes.remove(id(node))
        if sizes[id(node)] > _MOST_VALUES:
            text = f"stands for more than {_MOST_VALUES:,} values; an experiment file has hundreds"
            raise _error(text, node.start_mark)
        return sizes[id(node)]

    size(root)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _collect(
    node: yaml.Node,
    prefix: KeyPath,
    lines: dict[KeyPath, int],
    problems: list[tuple[int | None, str]],
) -> None:
    """Walks YAML nodes, which know their lines, unlike the loaded values."""
    line = node.start_mark.line + 1
    if node.tag not in _TAGS:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        where = ".".join(prefix) or "the file"
        problems.append((line, f"{where}: tag {tag} is not taken; write plain values"))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            name = ".".join((*prefix, str(key_node.value)))
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            if not isinstance(key_node, yaml.ScalarNode) or not key_node.tag.endswith(":str"):
                where = ".".join(prefix) or "the file"
                problems.append((line, f"{where}: {_not_text(key_node)}"))
                continue
            if key_node.value in seen:
                problems.append((line, f"{name}: stands twice; rename or remove one of the two"))
            seen.add(key_node.value)
            lines[(*prefix, key_node.value)] = line
            _collect(value_node, (*prefix, key_node.value), lines, problems)
    elif isinstance(node, yaml.SequenceNode):
        for index, value_node in enumerate(node.value):
            lines[(*prefix, str(index))] = value_node.start_mark.line + 1
            _collect(value_node, (*prefix, str(index)), lines, problems)


def _not_text(key: yaml.Node) -> str:
    if not isinstance(key, yaml.ScalarNode):
        return "a key should be text, not a list or a mapping"
    kind = key.tag.rpartition(":")[2]
    return f"a key should be text, but {key.value} is a {kind}: write '{key.value}' in quotes"
