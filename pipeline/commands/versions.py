"""``mtlx versions``: what was pushed, when, of which run, on which spans, with which verdict."""

import argparse
import json
from typing import TYPE_CHECKING

from mtlx.pipeline.commands.at_work import add_place_arguments, at_work
from mtlx.pipeline.commands.command import EXIT_OK, EXIT_WRONG_INPUT, Command, fail

if TYPE_CHECKING:
    from mtlx.pipeline.run.workplace import Workplace


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place_arguments(parser)
    parser.add_argument("--json", action="store_true", help="all that is known, for programs")


def _run(arguments: argparse.Namespace) -> int:
    return at_work(arguments, lambda place: _show(place, arguments.json))


def _show(place: "Workplace", as_json: bool) -> int:
    from rich.console import Console

    from mtlx.components.model_pusher.serving_folder.versions import Versions
    from mtlx.pipeline.versions.version_table import version_records, version_table

    if place.push_to is None:
        return fail(
            "serving.push_to has no value, so that nothing was ever pushed: set it",
            EXIT_WRONG_INPUT,
        )
    try:
        versions = Versions(place.push_to).all
    except ValueError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    if as_json:
        print(json.dumps(version_records(versions), indent=2))
        return EXIT_OK
    if not versions:
        return fail(
            f"{place.push_to} holds no version: nothing was pushed there yet", EXIT_WRONG_INPUT
        )
    console = Console(highlight=False)
    console.print(version_table(versions))
    console.print(f"Serving folder: {place.push_to}", soft_wrap=True, markup=False)
    return EXIT_OK


COMMAND = Command(
    "versions",
    "list the versions that an experiment pushed, and which one serves",
    "mtlx versions configs/default.yaml",
    _add_arguments,
    _run,
    "exit codes: 0 there are versions, 2 there is none",
)
