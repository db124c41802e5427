"""The page of all that has a name: whole, true to the docstrings, and as it stands in docs."""

import inspect
import re
from pathlib import Path

import pytest

from mtlx.pipeline.catalogue import papers
from mtlx.pipeline.catalogue.catalogue import REGISTRIES
from mtlx.pipeline.catalogue.docstrings import as_markdown, sections
from mtlx.pipeline.catalogue.models_reference import models_reference
from mtlx.pipeline.command_line import main
from mtlx.pipeline.experiment.presets import preset_names, read_preset

PAGE = models_reference()
PARTS = dict(re.findall(r"^### (\S.*? `\w+`)\n(.*?)(?=^##|\Z)", PAGE, re.S | re.M))


def test_every_member_and_preset_has_its_part():
    members = {f"{registry.kind.capitalize()} `{name}`" for _, registry in REGISTRIES
               for name in registry}  # fmt: skip
    presets = {f"Preset `{name}`" for name in preset_names()}
    assert set(PARTS) == members | presets


@pytest.mark.parametrize(
    ("registry", "name"), [(registry, name) for _, registry in REGISTRIES for name in registry]
)
def test_a_part_has_options_and_what_was_learnt(registry, name):
    part = PARTS[f"{registry.kind.capitalize()} `{name}`"]
    options = re.findall(r"^- \*\*`(\w+)`\*\* \(.+?; (?:default|required).*?\): .", part, re.M)
    assert options == list(registry.options(name))
    text = sections(inspect.getdoc(registry.get(name)))
    assert ("*Shown to learn.*" in part) == ("Shown to learn" in text)
    assert as_markdown(text[""]) in part
    assert ("From: [" in part) == any(paper.address for paper in papers.papers_of_member(name))


def test_the_papers_of_this_project_are_linked():
    for part, address in (
        ("Network `dtn`", "https://arxiv.org/abs/2408.11611"),
        ("Sequence encoder `tim`", "https://doi.org/10.1145/3583780.3614837"),
        ("Preset `m3oe_released`", "https://arxiv.org/abs/2404.18465"),
    ):
        assert f"]({address})" in PARTS[part]


def test_the_table_of_papers_knows_its_members_and_presets():
    members = {name for _, registry in REGISTRIES for name in registry}
    assert set(papers._PRESETS) <= members
    named = {preset for presets in papers._PRESETS.values() for preset in presets}
    assert named | set(papers._ADDRESSES) <= set(preset_names())
    titles = [read_preset(name).paper.title for name in papers._ADDRESSES]
    assert len(titles) == len(set(titles))


def test_docstrings_become_markdown():
    text = "Of ``a*b`` and `c`:\n- x * y [1] < z\n  goes on\n- more\nShown to learn:\n    A.\n"
    found = sections(text)
    assert as_markdown(found[""]) == (
        "Of `a*b` and `c`:\n\n- x \\* y \\[1\\] &lt; z\n  goes on\n- more"
    )
    assert found["Shown to learn"] == "A."


def test_the_page_in_docs_is_what_the_command_writes(capsys):
    page = Path(__file__).parents[3] / "docs" / "models.md"
    assert main(["models", "--markdown"]) == 0
    assert page.read_text(encoding="utf-8") == capsys.readouterr().out == PAGE, (
        "write it again: mtlx models --markdown > docs/models.md"
    )


def test_the_page_is_of_all_names(capsys):
    assert main(["models", "dtn", "--markdown"]) == 2
    assert "leave NAME out" in capsys.readouterr().err
