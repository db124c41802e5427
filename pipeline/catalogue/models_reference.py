"""The page of all that an experiment file can name, from the classes and presets themselves."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from mtlx.pipeline.catalogue.catalogue import REGISTRIES
from mtlx.pipeline.catalogue.docstrings import as_markdown, documented, sections
from mtlx.pipeline.catalogue.papers import paper_of_preset, papers_of_member
from mtlx.pipeline.catalogue.type_words import type_words
from mtlx.pipeline.catalogue.yaml_example import yaml_line
from mtlx.pipeline.experiment.presets import preset_names, read_preset
from mtlx.transform.config.registry import Registry

_INTRODUCTION = """\
# Models and all else that has a name

What an experiment file can name, and which options it takes. This page is written by
`mtlx models --markdown`, from the docstrings of the classes; `mtlx models NAME` shows one of them,
with YAML to paste. *Shown to learn* says what data with a known answer has shown of a part.

A model is a chain of parts: embedding → sequence encoder → bottom → network, and an arrangement of
tasks and domains around it ([experiment.md](experiment.md#the-model))."""


def models_reference() -> str:
    """The page, as Markdown: a chapter per registry, and one of the presets."""
    blocks = [_INTRODUCTION]
    for setting, registry in REGISTRIES:
        blocks += _chapter(setting, registry)
    return "\n\n".join([*blocks, *_presets()]) + "\n"


def _chapter(setting: str, registry: Registry) -> Iterator[str]:
    kind = registry.kind.capitalize()
    texts = {name: sections(inspect.getdoc(registry.get(name)) or "") for name in registry}
    yield f"## {kind}: `{setting}`"
    yield _table(
        ("name", "what it is"),
        [
            (_link(kind, name), as_markdown(text[""].partition("\n\n")[0]))
            for name, text in texts.items()
        ],
    )
    for name, text in texts.items():
        yield f"### {kind} `{name}`"
        papers = [paper.as_markdown() for paper in papers_of_member(name)]
        if papers:
            yield f"From: {'; '.join(papers)}."
        yield as_markdown(text[""])
        if "Shown to learn" in text:
            yield f"*Shown to learn.* {as_markdown(text['Shown to learn'])}"
        options = list(_options(registry, name))
        if options:
            yield "\n".join(["Options:", "", *options])


def _options(registry: Registry, name: str) -> Iterator[str]:
    """A line per option: name, type, default value, meaning."""
    meanings: Mapping[str, str] = {
        **documented(registry.get(name).__doc__, "param"),
        **registry.shared_options,
    }
    for key, option in registry.options(name).items():
        facts = f"{type_words(option.annotation)}; {_default(option.default)}"
        yield f"- **`{key}`** ({facts}): {as_markdown(meanings.get(key, ''))}"


def _default(value: Any) -> str:
    return "required" if value is inspect.Parameter.empty else f"default `{yaml_line(value)}`"


def _presets() -> Iterator[str]:
    yield "## Preset: `model.preset`"
    yield (
        "Systems of the papers' tables, with their settings; what a preset stands for is in\n"
        "`trainer/presets/NAME.yaml`, and how it goes together with a file's own settings in\n"
        "[experiment.md](experiment.md#the-model)."
    )
    papers = {name: read_preset(name).paper for name in preset_names()}
    yield _table(
        ("name", "named by"),
        [(_link("Preset", name), as_markdown(paper.named_by)) for name, paper in papers.items()],
    )
    for name, paper in papers.items():
        yield f"### Preset `{name}`"
        title = paper_of_preset(name).as_markdown()
        yield f"{as_markdown(paper.authors)}: {title} ({paper.year})."
        yield f"```text\n{paper.equations.rstrip()}\n```"
        if paper.numbers:
            sources = [
                f"- {as_markdown(source)}: {', '.join(f'`{path}`' for path in paths)}"
                for source, paths in paper.numbers.items()
            ]
            yield "\n".join(["Where its settings are from:", "", *sources])


def _link(kind: str, name: str) -> str:
    """A link to a member's own section; the address is what sites make of its heading."""
    return f"[`{name}`](#{kind.lower().replace(' ', '-')}-{name})"


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    lines = [f"| {first} | {' '.join(second.split())} |" for first, second in [head, *rows]]
    return "\n".join([lines[0], "|---|---|", *lines[1:]])
