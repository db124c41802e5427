"""``mtlx score``: scores logs with the model that is served."""

import argparse
import os
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlx.pipeline.commands.command import (
    EXIT_FAILED,
    EXIT_OK,
    EXIT_WRONG_INPUT,
    Command,
    add_experiment_arguments,
    fail,
    given_experiment,
)
from mtlx.pipeline.process.prompt_stop import BEGINS_ANEW, at_stop, prompt_stop

if TYPE_CHECKING:
    from mtlx.components.batch_scoring.scoring_summary import ScoringSummary

_FULL = "The disk is full, and no scores were written: make room, and run the command again"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_experiment_arguments(parser)
    parser.add_argument(
        "--input",
        action="append",
        required=True,
        metavar="PATTERN",
        help="logs to score: files, folders or glob patterns, read as data.path is; labels may be "
        "missing; may be repeated",
    )
    parser.add_argument(
        "--output", required=True, metavar="FOLDER", help="folder of the scores, empty or new"
    )
    parser.add_argument(
        "--version",
        default="latest",
        metavar="N|latest|FOLDER",
        help="pushed version of serving.push_to, or the folder of any model (default: %(default)s)",
    )
    parser.add_argument(
        "--columns",
        default="",
        metavar="A,B",
        help="columns of the logs to write beside the scores, whether or not the model knows them",
    )
    parser.add_argument(
        "--with-features",
        action="store_true",
        help="write the columns that the model reads as well: a log of what was served, which "
        "data.serving_path may name",
    )


def _run(arguments: argparse.Namespace) -> int:
    with prompt_stop(BEGINS_ANEW):
        return _score(arguments)


def _score(arguments: argparse.Namespace) -> int:
    from mtlx.components.batch_scoring.scoring_refused import ScoringRefused
    from mtlx.components.log_example_gen.rejection import InputRefused
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.process.disk_full import is_disk_full
    from mtlx.transform.config.settings import SettingsError

    descriptor, log = tempfile.mkstemp(prefix="mtlx-score-", suffix=".txt")
    os.close(descriptor)
    try:
        summary = _scored(arguments, Path(log))
    except (ExperimentFileError, SettingsError, ScoringRefused, InputRefused) as error:
        os.unlink(log)
        # A worker that can't write refuses its shard, which is no fault of the logs.
        if is_disk_full(error):
            return fail(f"{_FULL}: {error}", EXIT_FAILED)
        return fail(str(error), EXIT_WRONG_INPUT)
    except Exception as error:
        with open(log, "a", encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        words = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        words = f"{_FULL}: {words}" if is_disk_full(error) else f"Scoring failed: {words}"
        return fail(f"{words}\nLog: {log}", EXIT_FAILED)
    os.unlink(log)
    malformed = sum(summary["malformed"].values())
    print(
        f"{summary['rows']:,} rows scored, {malformed:,} malformed, in {summary['seconds']:.1f} s "
        f"({summary['rows_per_second']:,.0f} rows/s): {arguments.output}"
    )
    return EXIT_OK


def _scored(arguments: argparse.Namespace, log: Path) -> "ScoringSummary":
    """Scores; what a person has to change is refused as early as it can be seen."""
    from mtlx.pipeline.process.heavy_imports import heavy_imports
    from mtlx.pipeline.process.run_log import run_log

    found = _looked_at(arguments)
    with heavy_imports():
        from mtlx.components.batch_scoring.score_files import (
            ScoringJob,
            remove_unfinished,
            score_files,
        )
        from mtlx.pipeline.process.stack import run_beam_in_process

    run_beam_in_process()
    job = ScoringJob(**found)
    # A worker may keep the main thread from leaving by itself.
    with run_log(log, lambda line: None), at_stop(lambda: remove_unfinished(job.output)):
        return score_files(job)


def _looked_at(arguments: argparse.Namespace) -> dict[str, Any]:
    """Attributes of the `ScoringJob`, without TensorFlow."""
    from mtlx.components.batch_scoring.chosen_model import LATEST, chosen_model
    from mtlx.components.batch_scoring.score_output import check_output
    from mtlx.components.log_example_gen.readers import READERS
    from mtlx.components.log_example_gen.readers.files import matching_files
    from mtlx.components.log_example_gen.rejection import InputRefused
    from mtlx.pipeline.experiment.absolute_path import absolute

    experiment = given_experiment(arguments)
    anchored, data = experiment.anchored(), experiment.data
    reader = READERS.build(data.reader, data.options)
    output, wanted = absolute(arguments.output), arguments.version
    check_output(output)
    if wanted != LATEST and not wanted.isdecimal():
        wanted = absolute(wanted)
    model = chosen_model(wanted, anchored.serving.push_to)
    patterns = [_from_here(path) for path in arguments.input]
    files: list[str] = []
    for pattern in patterns:
        matching = [file for one in reader.patterns(pattern) for file in matching_files(one)]
        if not matching:
            raise InputRefused(f"--input: no file matches {pattern}")
        files += matching
    return {
        "model": model,
        "data": data,
        "contract": experiment.contract,
        "patterns": tuple(patterns),
        "files": tuple(dict.fromkeys(files)),
        "columns": tuple(name for name in arguments.columns.split(",") if name),
        "output": output,
        "with_features": arguments.with_features,
        "beam_pipeline_args": tuple(experiment.run.beam_pipeline_args),
    }


def _from_here(path: str) -> str:
    """A pattern from the root on, a folder's end with it."""
    from mtlx.pipeline.experiment.absolute_path import absolute

    return os.path.join(absolute(path), "") if path.endswith("/") else absolute(path)


COMMAND = Command(
    "score",
    "score logs with the model that is served",
    "mtlx score configs/default.yaml --input 'var/simulated/logs/day=08/*.csv' "
    "--output var/scores --columns impression_id",
    _add_arguments,
    _run,
    stopped=BEGINS_ANEW,
)
