"""Every setting of an experiment file: type, default and meaning, from the classes themselves."""

import difflib
import inspect
import re
import textwrap
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.relaimp_gate.rules import RULES
from mtlx.pipeline.catalogue.docstrings import documented
from mtlx.pipeline.catalogue.type_words import is_section, type_words
from mtlx.pipeline.catalogue.yaml_example import yaml_line
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.transform.config.registry import Registry
from mtlx.transform.config.settings import Settings, SettingsError

#: Settings that take the options of a registered member; those of models are in `mtlx models`.
_OPTIONS: Mapping[str, Registry] = {"data.options": READERS, "gate.thresholds[]": RULES}

_WIDTH = 80

#: Where a class of settings was listed first.
Seen = dict[type[Settings], str]


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        path: as in a message: ``gate.minimum_positives``; ``[]`` stands for an item of a list,
            ``NAME`` for a name of the user's, and what makes the setting valid in brackets:
            ``data.split (by: time).column``.
        type: in words.
        default: as YAML writes it, or None where the setting is required.
        text: what it means.
    """

    path: str
    type: str
    default: str | None
    text: str


def settings_reference() -> list[Setting]:
    """All settings, in the order in which a file is written."""
    return list(_settings(Experiment, "", {}))


def find_settings(name: str) -> list[Setting]:
    """The settings at or below a path, or else those that bear a name.

    Args:
        name: ``gate``, ``data.split``, ``training.select_by``; or a last part such as ``bound``.

    Raises:
        SettingsError: there is none; the message names the nearest.
    """
    entries = settings_reference()
    plain = {entry: _plain(entry.path) for entry in entries}
    below = [entry for entry in entries if f"{plain[entry]}.".startswith(f"{name}.")]
    found = below or [entry for entry in entries if plain[entry].rpartition(".")[2] == name]
    if not found:
        known = {part for path in plain.values() for part in (path, path.rpartition(".")[2])}
        near = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f", did you mean {near[0]!r}?" if near else ";"
        sections = ", ".join(Experiment.model_fields)
        message = f"no setting is called {name!r}{hint} The sections are: {sections}"
        raise SettingsError([((), message)])
    return found


def as_text(entries: list[Setting], width: int = _WIDTH) -> str:
    """Returns settings for a terminal of so many columns."""
    blocks = []
    for entry in entries:
        lines = [entry.path, *_indented(_facts(entry), width), *_indented(entry.text, width)]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def as_markdown(entries: list[Setting]) -> str:
    """Returns the reference page: a chapter per section of the file."""
    lines = [
        "# Settings",
        "",
        "Every setting of an experiment file. This page is written by",
        "`mtlx settings --markdown`; `mtlx settings NAME` shows a part of it. `[]` stands for an",
        "item of a list, NAME for a name of yours; what makes a setting valid stands in brackets.",
    ]
    chapter = None
    for entry in entries:
        section = _plain(entry.path).partition(".")[0]
        if section != chapter:
            chapter = section
            lines += ["", f"## {section}", ""]
        lines.append(f"- **`{entry.path}`** ({_facts(entry)}): {entry.text}")
    return "\n".join(lines) + "\n"


def _facts(entry: Setting) -> str:
    default = "required" if entry.default is None else f"default {entry.default}"
    return f"{entry.type}; {default}"


def _plain(path: str) -> str:
    """A path without list marks and conditions."""
    return re.sub(r" \(.*?\)|\[\]", "", path)


def _indented(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
    )


def _settings(section: type[Settings], prefix: str, seen: Seen) -> Iterator[Setting]:
    """The settings of a class, each followed by those below it; of one seen before, none."""
    meanings = _meanings(section)
    for name, field in section.model_fields.items():
        path = f"{prefix}{name}"
        if typing.get_origin(field.annotation) is typing.Literal and not _is_choice(field):
            continue  # The tag of a variant stands in the path.
        text = meanings.get(name, "")
        before = [seen[part] for part in _sections(field.annotation) if part in seen]
        if before:
            text += f" Its settings are those of `{before[0]}`."
        yield Setting(path, type_words(field.annotation), _default(field), text)
        yield from _below(field.annotation, path, seen)
        yield from _options(path)
    yield from _options(prefix.removesuffix("."))


def _is_choice(field: FieldInfo) -> bool:
    return len(typing.get_args(field.annotation)) > 1


def _below(annotation: Any, path: str, seen: Seen) -> Iterator[Setting]:
    """Settings of the classes that a type is made of."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if is_section(annotation):
        if annotation not in seen:
            seen[annotation] = f"{path}{_tag(annotation)}"
            yield from _settings(annotation, f"{seen[annotation]}.", seen)
    elif origin is dict:
        yield from _below(arguments[1], f"{path}.NAME", seen)
    elif origin in (list, tuple):
        yield from _below(arguments[0], f"{path}[]", seen)
    else:
        for argument in arguments:
            yield from _below(argument, path, seen)


def _sections(annotation: Any) -> Iterator[type[Settings]]:
    """The classes of settings that a type is made of."""
    if is_section(annotation):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _sections(argument)


def _tag(section: type[Settings]) -> str:
    """What chooses this one among several: `` (by: time)``."""
    tags = {
        name: field
        for name, field in section.model_fields.items()
        if typing.get_origin(field.annotation) is typing.Literal and not _is_choice(field)
    }
    # What has a default need not be said to choose it; where all have, one of them tells.
    chosen = [name for name, field in tags.items() if field.is_required()] or list(tags)[:1]
    words = [f"{name}: {yaml_line(typing.get_args(tags[name].annotation)[0])}" for name in chosen]
    return f" ({', '.join(words)})" if words else ""


def _options(path: str) -> Iterator[Setting]:
    """Options of registered members, where the setting at this path takes them."""
    if path not in _OPTIONS:
        return
    registry = _OPTIONS[path]
    tag = registry.kind.rpartition(" ")[2]
    for member in registry:
        meanings = documented(registry.get(member).__doc__, "param")
        for name, parameter in registry.options(member).items():
            required = parameter.default is inspect.Parameter.empty
            yield Setting(
                f"{path} ({tag}: {member}).{name}",
                type_words(parameter.annotation),
                None if required else yaml_line(parameter.default),
                meanings.get(name, ""),
            )


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    return yaml_line(field.get_default(call_default_factory=True))


def _meanings(section: type[Settings]) -> dict[str, str]:
    """What the docstrings of a class and of its bases say of each field."""
    found: dict[str, str] = {}
    for base in reversed(section.__mro__):
        if issubclass(base, Settings):
            found |= documented(base.__doc__, "attribute")
    return found
