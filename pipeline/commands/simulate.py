"""``mtlx simulate``: e-commerce logs with known ground truth, of a few days or day after day."""

import argparse
from typing import Any

from mtlx.pipeline.commands.command import EXIT_OK, EXIT_WRONG_INPUT, Command, fail

_ROWS = 200_000

#: Options that say what days are like; each has the name of its setting.
_DAILY = {
    "rows_per_day": (int, "N", "with --days: impressions of an average day (default: 25000)"),
    "drift": (
        float,
        "RATE",
        "with --days: how fast preferences wander, 0 not at all (default: 0.2)",
    ),
    "new_items": (
        float,
        "SHARE",
        "with --days: share of the items that a night replaces (default: 0.02)",
    ),
    "new_users": (
        float,
        "SHARE",
        "with --days: share of the users that a night replaces (default: 0.02)",
    ),
    "weekly": (
        float,
        "STRENGTH",
        "with --days: strength of the weekly rhythm, 0 none (default: 1)",
    ),
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", default="var/simulated", help="folder (default: %(default)s)")
    parser.add_argument("--rows", type=int, help=f"default: {_ROWS}")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--format", choices=["csv", "parquet"], default="csv")
    parser.add_argument("--overwrite", action="store_true", help="replace other logs in --out")
    days = parser.add_argument_group(
        "day after day",
        "With --days, users, items and preferences come, change and go, every day is a folder "
        "with its date, and a later call with more days adds those that are missing.",
    )
    days.add_argument(
        "--days",
        type=int,
        metavar="N",
        help="that go on, from 2024-01-01; a later call with more adds those that are missing",
    )
    for name, (kind, metavar, text) in _DAILY.items():
        days.add_argument(_option(name), type=kind, metavar=metavar, help=text)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _run(arguments: argparse.Namespace) -> int:
    from mtlx.transform.config.settings import SettingsError

    common = {"seed": arguments.seed, "format": arguments.format}
    given = {name: getattr(arguments, name) for name in _DAILY}
    given = {name: value for name, value in given.items() if value is not None}
    if arguments.days is None and given:
        return fail(
            f"{_option(next(iter(given)))} is for --days N, which is not given", EXIT_WRONG_INPUT
        )
    if arguments.days is not None and arguments.rows is not None:
        return fail(
            "--rows is of a simulation without --days: give --rows-per-day", EXIT_WRONG_INPUT
        )
    try:
        if arguments.days is None:
            _simulate(
                common | {"rows": _ROWS if arguments.rows is None else arguments.rows}, arguments
            )
        else:
            _simulate_days(common | given | {"days": arguments.days}, arguments)
    except (SettingsError, ValueError, FileExistsError) as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    return EXIT_OK


def _simulate(values: dict[str, Any], arguments: argparse.Namespace) -> None:
    from mtlx.pipeline.simulation.settings import SimulationSettings
    from mtlx.pipeline.simulation.simulator import simulate

    simulate(SimulationSettings.read(values), arguments.out, overwrite=arguments.overwrite)


def _simulate_days(values: dict[str, Any], arguments: argparse.Namespace) -> None:
    from mtlx.pipeline.simulation.days.settings import DailySettings
    from mtlx.pipeline.simulation.days.simulator import simulate_days

    simulate_days(DailySettings.read(values), arguments.out, overwrite=arguments.overwrite)


COMMAND = Command(
    "simulate",
    "write e-commerce logs with known ground truth",
    "mtlx simulate --rows 200000 --out var/simulated",
    _add_arguments,
    _run,
    stopped="Stopped. With --days the same command goes on from the days that are written; "
    "without, it begins anew.",
)
