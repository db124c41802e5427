"""The page of all commands: whole, and as it stands in docs."""

import argparse
import re
from pathlib import Path

import pytest

from mtlx.kubeflow.command_line import main
from mtlx.kubeflow.commands import COMMANDS as OF_THE_CLUSTER
from mtlx.pipeline.catalogue.commands_reference import commands_reference
from mtlx.pipeline.command_line import COMMANDS

ALL = (*COMMANDS, *OF_THE_CLUSTER)
PAGE = commands_reference(ALL)


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.name)
def test_every_argument_of_a_command_is_there(command):
    chapter = re.search(rf"^## mtlx {command.name}\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M).group(1)
    assert f"    {command.example}\n" in chapter
    parser = argparse.ArgumentParser(add_help=False)
    command.add_arguments(parser)
    listed = re.findall(r"^- \*\*`(.+?)`\*\*: (.*)$", chapter, re.M)
    assert len(listed) == len(parser._actions)
    for (typed, meaning), action in zip(listed, parser._actions, strict=True):
        assert typed.split()[0] in (*action.option_strings, action.dest.upper(),
                                    f"[{action.dest.upper()}]")  # fmt: skip
        assert meaning and "%(" not in meaning


def test_what_excludes_another_says_so():
    assert "not together with `--every`" in PAGE and "not together with `--schedule`" in PAGE


def test_the_page_in_docs_is_what_the_command_writes(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--markdown"])
    assert end.value.code == 0
    page = Path(__file__).parents[2] / "docs" / "commands.md"
    assert page.read_text(encoding="utf-8") == capsys.readouterr().out == PAGE, (
        "write it again: mtlx --markdown > docs/commands.md"
    )
