"""The page of all commands of ``mtlx``, from their parsers."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

_INTRODUCTION = """\
# Commands

All commands of `mtlx`. This page is written by `mtlx --markdown`; `mtlx COMMAND --help` shows a
part of it. Where a command says nothing else, its exit code is 0 if all went well, 2 for wrong
input and 1 if it failed. It is 141 where who reads the output, such as `head`, has gone before its
end."""


class Documented(Protocol):
    """What the page says of a command; see `mtlx.pipeline.command_line.Command`."""

    @property
    def name(self) -> str:
        """As typed."""

    @property
    def summary(self) -> str:
        """In one line."""

    @property
    def example(self) -> str:
        """A whole command line."""

    @property
    def exits(self) -> str:
        """What its exit codes mean, or nothing."""

    @property
    def add_arguments(self) -> Callable[[argparse.ArgumentParser], None]:
        """Is given the command's parser."""


def commands_reference(commands: Sequence[Documented]) -> str:
    """The page, as Markdown: a chapter per command."""
    rows = [f"| [`mtlx {one.name}`](#mtlx-{one.name}) | {one.summary} |" for one in commands]
    blocks = [_INTRODUCTION, "\n".join(["| command | what it does |", "|---|---|", *rows])]
    for command in commands:
        blocks += _chapter(command)
    return "\n\n".join(blocks) + "\n"


def _chapter(command: Documented) -> Iterator[str]:
    parser = argparse.ArgumentParser(prog=f"mtlx {command.name}", add_help=False)
    command.add_arguments(parser)
    yield f"## mtlx {command.name}"
    yield f"{command.summary[0].upper()}{command.summary[1:]}."
    yield f"    {command.example}"
    if command.exits:
        yield f"{command.exits[0].upper()}{command.exits[1:]}."
    # There is no public way from a parser to its arguments.
    arguments = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    if arguments:
        yield "\n".join(f"- **`{_called(one)}`**: {_meaning(parser, one)}" for one in arguments)


def _called(action: argparse.Action) -> str:
    """An argument as it is typed, the value of an option included."""
    value = action.metavar or (action.dest.upper() if action.choices is None else "")
    value = value or "|".join(action.choices or ())
    if action.option_strings:
        return action.option_strings[0] + ("" if action.nargs == 0 else f" {value}")
    return f"[{value}]" if action.nargs == "?" else str(value)


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """The argument's help, with what argparse puts in the places of its marks."""
    values = {**vars(action), "prog": parser.prog}
    text = (action.help or "") % values
    for mark in "*|[]<>_":
        text = text.replace(mark, f"\\{mark}")
    alone = [
        group._group_actions
        for group in parser._mutually_exclusive_groups
        if action in group._group_actions
    ]
    others = [f"`{one.option_strings[0]}`" for group in alone for one in group if one is not action]
    text += f"; not together with {', '.join(others)}" if others else ""
    if not text and action.default not in (None, argparse.SUPPRESS):
        return f"default: {action.default}"
    return text
