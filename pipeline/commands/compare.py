"""``mtlx compare``: several models on the same examples, and which of them is the best."""

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
    from mtlx.pipeline.compare.comparison_record import Row
    from mtlx.pipeline.compare.contender import Contender

#: In the comparison's folder.
_PAGE = "comparison.html"
#: Fewest seeds that say anything of their spread.
_LEAST_SEEDS = 3


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_experiment_arguments(parser)
    parser.add_argument(
        "--models",
        required=True,
        metavar="NAMES",
        help="presets or networks, with commas between them, network:NAME where a preset has the "
        "name, too; 'file' is the experiment's own model. "
        "LABEL=NAME calls one something else, NAME:training.KEY=VALUE gives it settings of its own",
    )
    parser.add_argument(
        "--seeds", type=int, default=5, help="trainings of each: 1, or 3 and more (default: 5)"
    )
    parser.add_argument(
        "--reference", metavar="NAME", help="all are compared with it (default: the first)"
    )
    parser.add_argument(
        "--match-parameters",
        type=float,
        metavar="N",
        help="scale the widths of layers so that each has about N parameters, embeddings aside",
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="models that are trained at once (default: 1)"
    )
    parser.add_argument("--out", metavar="DIR", help="folder (default: var/comparisons/NAME)")


def _run(arguments: argparse.Namespace) -> int:
    with prompt_stop():
        return _run_until_stopped(arguments)


def _run_until_stopped(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from mtlx.pipeline.compare.contender import read_contenders
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.preflight.preflight import preflight
    from mtlx.pipeline.process.heavy_imports import heavy_imports

    console = Console(highlight=False)
    try:
        contenders = read_contenders(arguments.models)
        reference = _checked(arguments, contenders)
        experiment = given_experiment(arguments)
        preflight(experiment, arguments.experiment, outputs=False)
        folder = Path(arguments.out or f"var/comparisons/{experiment.name}")
    except (ExperimentFileError, ValueError) as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    with console.status("Starting TensorFlow Extended ..."), heavy_imports():
        from mtlx.pipeline.compare.compare import Compare
        from mtlx.pipeline.compare.comparison_page import comparison_page
        from mtlx.pipeline.compare.comparison_record import RECORD_FILE
        from mtlx.pipeline.compare.comparison_table import comparison_table, row_line
        from mtlx.pipeline.run.run_lock import PipelineRootInUse
        from mtlx.pipeline.run.run_result import RunFailed

    page = folder / _PAGE
    wanted = arguments.match_parameters
    try:
        with console.status("") as status:

            def done(row: "Row") -> None:
                console.print(row_line(row, compare.record), soft_wrap=True, markup=False)
                page.write_text(comparison_page(compare.record), encoding="utf-8")

            compare = Compare(
                arguments.experiment,
                arguments.overrides,
                arguments.data,
                folder,
                contenders,
                reference,
                arguments.seeds,
                None if wanted is None else round(wanted),
                arguments.workers,
                on_row=done,
                on_progress=lambda line: status.update(line[:100].replace("[", "\\[")),
            )
            compare.run()
        page.write_text(comparison_page(compare.record), encoding="utf-8")
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    except (RunFailed, PipelineRootInUse) as error:
        return fail(str(error), EXIT_FAILED)
    for line in comparison_table(compare.record):
        print(line)
    print(f"page: {page}\nnumbers: {folder / RECORD_FILE}")
    return EXIT_FAILED if any(row.failed for row in compare.record.rows) else EXIT_OK


def _checked(arguments: argparse.Namespace, contenders: "list[Contender]") -> str:
    """The reference's label.

    Raises:
        ValueError: of seeds, workers, size or reference.
    """
    from mtlx.transform.config.names import suggest

    if arguments.seeds < 1 or 1 < arguments.seeds < _LEAST_SEEDS:
        raise ValueError(
            f"--seeds {arguments.seeds}: 1, or {_LEAST_SEEDS} and more; of 2 seeds next to nothing "
            "is known of how far seeds differ"
        )
    if arguments.workers < 1:
        raise ValueError(f"--workers {arguments.workers}: give 1 or more")
    if arguments.match_parameters is not None and not arguments.match_parameters >= 1:
        raise ValueError(f"--match-parameters {arguments.match_parameters}: give 1 or more")
    labels = [one.label for one in contenders]
    reference: str = arguments.reference or labels[0]
    if reference not in labels:
        raise ValueError(
            f"--reference {reference}: it is none of --models, {suggest(reference, labels)}"
        )
    return reference


COMMAND = Command(
    "compare",
    "train several models on the same examples, and say which differences are decided",
    "mtlx compare configs/default.yaml --models mmoe,ple,dtn --seeds 5",
    _add_arguments,
    _run,
    "exit codes: 0 all models are compared, 2 wrong input, 1 a model failed, whose row says why, "
    "or what they share did, 130 stopped by Ctrl-C, 143 by SIGTERM; the same command goes on "
    "where it was",
    STOPPED,
)
