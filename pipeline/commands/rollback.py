"""``mtlx rollback``: an older version serves again, and is the baseline again."""

import argparse
from typing import TYPE_CHECKING

from mtlx.pipeline.commands.at_work import add_place_arguments, at_work
from mtlx.pipeline.commands.command import EXIT_FAILED, EXIT_OK, EXIT_WRONG_INPUT, Command, fail
from mtlx.pipeline.process.prompt_stop import STOPPED

if TYPE_CHECKING:
    from mtlx.pipeline.run.workplace import Workplace
    from mtlx.pipeline.versions.roll_back import RollBack


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place_arguments(parser)
    parser.add_argument(
        "--to",
        type=int,
        metavar="VERSION",
        help="bring back this one; else the one before that which serves, versions that were "
        "withdrawn left out",
    )
    parser.add_argument(
        "--serving-only",
        action="store_true",
        help="leave the metadata as it is: where the store is lost, so that there is no baseline",
    )


def _run(arguments: argparse.Namespace) -> int:
    return at_work(arguments, lambda place: _roll_back(place, arguments.to, arguments.serving_only))


def _roll_back(place: "Workplace", to: int | None, serving_only: bool) -> int:
    from mtlx.pipeline.run.workplace import StoreLost
    from mtlx.pipeline.versions.roll_back import RollBackFailed, roll_back

    try:
        roll_back(place, to, serving_only, _say)
    except ValueError as error:  # No such version, or a damaged record of one.
        return fail(str(error), EXIT_WRONG_INPUT)
    except StoreLost as error:
        return fail(
            f"{error}. Nothing was changed; --serving-only brings the version back all the same, "
            "and leaves the baseline as it is",
            EXIT_FAILED,
        )
    except RollBackFailed as error:
        return fail(str(error), EXIT_FAILED)
    return EXIT_OK


def _say(done: "RollBack") -> None:
    gone = ", ".join(map(str, done.withdrawn)) or "none"
    print(f"Version {done.restored} serves again, as version {done.number}. Withdrawn: {gone}")
    if done.is_baseline:
        print("It is the model that the next run is compared with")
    elif done.is_baseline is False:
        print("The metadata store knows no blessing of it: the next run has no baseline")


COMMAND = Command(
    "rollback",
    "push an older version as the newest one, and withdraw what came after it",
    "mtlx rollback configs/default.yaml --to 12",
    _add_arguments,
    _run,
    "exit codes: 0 it serves, 2 no such version, or it serves already, 1 failed with nothing "
    "changed for the server",
    STOPPED,
)
