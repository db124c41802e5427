"""``mtlx clean``: removes what no run needs any more."""

import argparse
from typing import TYPE_CHECKING

from mtlx.pipeline.commands.at_work import add_place_arguments, at_work
from mtlx.pipeline.commands.command import EXIT_OK, EXIT_WRONG_INPUT, Command, fail
from mtlx.pipeline.process.prompt_stop import STOPPED

if TYPE_CHECKING:
    from mtlx.pipeline.cleaning.clean import Plan
    from mtlx.pipeline.run.workplace import Workplace


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place_arguments(parser)
    parser.add_argument(
        "--keep",
        type=_at_least_one,
        default=14,
        metavar="N",
        help="leave the newest N runs as they are, so that they are served from the cache "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--keep-versions",
        type=_at_least_one,
        metavar="N",
        help="of the serving folder leave the newest N versions only, besides that which serves "
        "and the one before it; else none is removed there",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would go and how much, remove nothing"
    )
    parser.add_argument("--paths", action="store_true", help="name every folder")


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of at least 1, received {text}")
    return number


def _run(arguments: argparse.Namespace) -> int:
    return at_work(arguments, lambda place: _clean(place, arguments))


def _clean(place: "Workplace", arguments: argparse.Namespace) -> int:
    from mtlx.pipeline.process.heavy_imports import heavy_imports

    place.check_store()
    with heavy_imports():
        from mtlx.pipeline.cleaning.clean import clean
    try:
        plan = clean(place, arguments.keep, arguments.keep_versions, arguments.dry_run)
    except ValueError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    _print(plan, arguments.dry_run, arguments.paths)
    return EXIT_OK


def _print(plan: "Plan", dry_run: bool, paths: bool) -> None:
    if paths:
        for removal in plan.removals:
            print(f"{removal.path}  {_bytes(removal.size)}")
    for kind, (count, size) in plan.by_kind.items():
        print(f"{kind:<36} {count:>7,}  {_bytes(size):>10}")
    total = sum(removal.size for removal in plan.removals)
    verb = "would be removed" if dry_run else "removed"
    print(
        f"{len(plan.removals):,} folders, {_bytes(total)}, {verb}; "
        f"{len(plan.kept_runs)} of {plan.runs} runs stay as they are"
    )


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


COMMAND = Command(
    "clean",
    "remove artifacts, checkpoints and runs that nothing needs, from disk and metadata store",
    "mtlx clean configs/default.yaml --keep 14 --dry-run",
    _add_arguments,
    _run,
    stopped=STOPPED,
)
