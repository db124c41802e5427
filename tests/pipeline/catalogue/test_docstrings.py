"""Docstrings taken apart, and as Markdown."""

import pytest

from mtlx.pipeline.catalogue.docstrings import as_markdown, documented, sections

TEXT = """A thing.

It does much.

Args:
    one: the first, which
        goes on.
    two, three: both.

Attributes:
    four: is an attribute.

Raises:
    ValueError: not ours.

Shown to learn:
    0.75, where 0.5 is chance.
"""


def test_descriptions_by_name():
    assert documented(TEXT, "param") == {
        "one": "the first, which goes on.",
        "two": "both.",
        "three": "both.",
    }
    assert documented(TEXT, "attribute") == {"four": "is an attribute."}


@pytest.mark.parametrize("text", [None, "", "Only a line."])
def test_nothing_is_described(text):
    assert documented(text, "param") == {}


def test_a_docstring_by_its_headings():
    found = sections(TEXT)
    assert list(found) == ["", "Args", "Attributes", "Raises", "Shown to learn"]
    assert found[""] == "A thing.\n\nIt does much."
    assert found["Args"].splitlines()[:2] == ["one: the first, which", "    goes on."]
    assert found["Shown to learn"] == "0.75, where 0.5 is chance."


def test_a_heading_stands_alone_in_its_line():
    assert sections("See Args: of x.\n  Args:\nArgs: x") == {
        "": "See Args: of x.\n  Args:\nArgs: x"
    }
    assert sections("") == {"": ""}


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("a < b > c", "a &lt; b &gt; c"),
        ("x * y [1] | z", "x \\* y \\[1\\] \\| z"),
        ("``a*b|c`` of `x<y`", "`a*b|c` of `x<y`"),
        ("``a\nb`` * c", "`a\nb` \\* c"),
        ("one:\n- a\n- b", "one:\n\n- a\n- b"),
        ("one\n\n- a\n  more\n- b\nend", "one\n\n- a\n  more\n- b\nend"),
        ("- a\n- b", "- a\n- b"),
        ("1 - 2\n-3", "1 - 2\n-3"),
        ("", ""),
    ],
)
def test_markdown_shows_what_was_written(text, markdown):
    assert as_markdown(text) == markdown
