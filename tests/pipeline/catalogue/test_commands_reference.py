"""The page of commands, of commands made for the test."""

import argparse
import types

import pytest

from mtlx.pipeline.catalogue.commands_reference import commands_reference


def _command(*arguments, exclusive=(), **fields):
    def add(parser):
        for names, options in arguments:
            parser.add_argument(*names, **options)
        if exclusive:
            group = parser.add_mutually_exclusive_group()
            for names, options in exclusive:
                group.add_argument(*names, **options)

    known = {"name": "brew", "summary": "makes tea", "example": "mtlx brew tea.yaml", "exits": ""}
    return types.SimpleNamespace(**{**known, **fields}, add_arguments=add)


def _lines(*arguments, **fields):
    page = commands_reference([_command(*arguments, **fields)])
    return [line for line in page.splitlines() if line.startswith("- **")]


def test_a_chapter_has_summary_example_and_exit_codes():
    commands = [_command(exits="0 if it is hot, else 1"), _command(name="pour", summary="pours")]
    page = commands_reference(commands)
    assert page.startswith("# Commands\n") and page.endswith("\n") and "\n\n\n" not in page
    assert (
        "| [`mtlx brew`](#mtlx-brew) | makes tea |\n| [`mtlx pour`](#mtlx-pour) | pours |" in page
    )
    chapter = page[page.index("## mtlx brew") : page.index("## mtlx pour")]
    assert chapter == (
        "## mtlx brew\n\nMakes tea.\n\n    mtlx brew tea.yaml\n\n0 if it is hot, else 1.\n\n"
    )


@pytest.mark.parametrize(
    ("names", "options", "line"),
    [
        (["file"], {"help": "of tea"}, "- **`FILE`**: of tea"),
        (["file"], {"metavar": "TEA", "help": "x"}, "- **`TEA`**: x"),
        (["file"], {"nargs": "?", "help": "x"}, "- **`[FILE]`**: x"),
        (["kind"], {"choices": ["green", "black"], "help": "x"}, "- **`green|black`**: x"),
        (["--hot"], {"action": "store_true", "help": "x"}, "- **`--hot`**: x"),
        (["--cups", "-c"], {"type": int, "help": "x"}, "- **`--cups CUPS`**: x"),
        (["--kind"], {"choices": ["a", "b"], "help": "x"}, "- **`--kind a|b`**: x"),
        (["--cups"], {"default": 3, "help": "%(default)s by %(prog)s"},
         "- **`--cups CUPS`**: 3 by mtlx brew"),
        (["--cups"], {"default": 3}, "- **`--cups CUPS`**: default: 3"),
        (["--cups"], {}, "- **`--cups CUPS`**: "),
        (["--set"], {"help": "a_b=<*> [x|y]"}, r"- **`--set SET`**: a\_b=\<\*\> \[x\|y\]"),
    ],
)  # fmt: skip
def test_an_argument_as_it_is_typed_and_what_it_means(names, options, line):
    assert _lines((names, options)) == [line]


def test_a_hidden_argument_is_left_out():
    assert _lines((["--secret"], {"help": argparse.SUPPRESS})) == []


def test_what_excludes_each_other_says_so_of_all_others():
    options = [([f"--{name}"], {"action": "store_true", "help": name}) for name in "abc"]
    assert _lines(exclusive=options) == [
        "- **`--a`**: a; not together with `--b`, `--c`",
        "- **`--b`**: b; not together with `--a`, `--c`",
        "- **`--c`**: c; not together with `--a`, `--b`",
    ]
