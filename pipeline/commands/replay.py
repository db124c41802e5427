"""``mtlx replay``: an experiment day by day over past spans, as it would have run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mtlx.pipeline.commands.command import (
    EXIT_FAILED,
    EXIT_OK,
    EXIT_WRONG_INPUT,
    Command,
    add_experiment_arguments,
    fail,
    given_experiment,
)
from mtlx.pipeline.process.prompt_stop import STOPPED, prompt_stop

if TYPE_CHECKING:
    from mtlx.pipeline.replay.day_record import DayRecord
    from mtlx.pipeline.replay.way import Way

#: In the replay's folder.
_PAGE = "replay.html"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_experiment_arguments(parser)
    parser.add_argument(
        "--spans",
        required=True,
        metavar="A..B",
        help="the days to run, first and last: 8..21 or 2024-01-08..2024-01-21",
    )
    parser.add_argument(
        "--compare",
        metavar="WAYS",
        help="from_scratch, warm_start, stale: so many of them, with commas; what the experiment "
        "file says if not given",
    )
    parser.add_argument("--out", metavar="DIR", help="folder (default: var/replays/NAME)")


def _run(arguments: argparse.Namespace) -> int:
    with prompt_stop():
        return _run_until_stopped(arguments)


def _run_until_stopped(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.process.heavy_imports import heavy_imports
    from mtlx.pipeline.replay.first_look import look
    from mtlx.pipeline.replay.way import Way

    console = Console(highlight=False)
    try:
        spans = _spans(arguments.spans)
        experiment = given_experiment(arguments)
        folder = Path(arguments.out or f"var/replays/{experiment.name}")
        ways = Way.read(arguments.compare) if arguments.compare else [Way.AS_WRITTEN]
        given = arguments.experiment, arguments.overrides, arguments.data
        look(*given, folder, ways, spans)
    except (ExperimentFileError, ValueError) as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    with console.status("Starting TensorFlow Extended ..."), heavy_imports():
        from mtlx.pipeline.replay.day_record import RECORD_FILE
        from mtlx.pipeline.replay.replay import Replay
        from mtlx.pipeline.replay.replay_page import replay_page
        from mtlx.pipeline.replay.replay_table import day_line, replay_table
        from mtlx.pipeline.run.run_lock import PipelineRootInUse
        from mtlx.pipeline.run.run_result import RunFailed

    page = folder / _PAGE
    try:
        with console.status("") as status:

            def done(way: "Way", day: "DayRecord") -> None:
                console.print(day_line(way, day, replay.record), soft_wrap=True, markup=False)
                page.write_text(replay_page(replay.record), encoding="utf-8")

            replay = Replay(
                *given,
                folder,
                ways,
                done,
                lambda line: status.update(line[:100].replace("[", "\\[")),
            )
            replay.run(spans)
        replay.record.write(folder)
        page.write_text(replay_page(replay.record), encoding="utf-8")
    except (ExperimentFileError, ValueError) as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    except (RunFailed, PipelineRootInUse) as error:
        return fail(str(error), EXIT_FAILED)
    for line in replay_table(replay.record):
        print(line)
    print(f"page: {page}\nnumbers: {folder / RECORD_FILE}")
    return EXIT_OK


def _spans(text: str) -> list[int]:
    """The spans of ``A..B``.

    Raises:
        ValueError: it has another form, or no span between its ends.
    """
    from mtlx.components.log_example_gen.settings import span_number

    first, dots, last = text.partition("..")
    try:
        spans = list(range(span_number(first), span_number(last) + 1)) if dots else []
    except ValueError as error:
        raise ValueError(f"--spans {text}: {error}") from error
    if not spans:
        raise ValueError(
            f"--spans {text}: give the first and the last day, such as 8..21 or "
            "2024-01-08..2024-01-21"
        )
    return spans


COMMAND = Command(
    "replay",
    "run an experiment day by day over past spans, and compare ways to train",
    "mtlx replay configs/daily.yaml --spans 2024-01-09..2024-01-22 --compare "
    "from_scratch,warm_start,stale",
    _add_arguments,
    _run,
    "exit codes: 0 all days are done, whatever the gate said of them, 2 wrong input, 1 the first "
    "day failed, 130 stopped by Ctrl-C, 143 by SIGTERM; the same command goes on where it was",
    STOPPED,
)
