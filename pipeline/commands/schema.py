"""``mtlx schema``: shows the schema of the latest run, and writes it down for review."""

import argparse
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

if TYPE_CHECKING:
    from mtlx.pipeline.experiment.experiment import Experiment

#: The node that gives a schema, inferred or imported, and its output.
_NODES, _OUTPUT, _FILE = ("SchemaGen", "ImportSchemaGen"), "schema", "schema.pbtxt"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_experiment_arguments(parser)
    parser.add_argument(
        "--write", action="store_true", help="write it where validation.schema_path says"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="with --write: replace another file there"
    )


def _run(arguments: argparse.Namespace) -> int:
    from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
    from mtlx.pipeline.run.pipeline_root import history_elsewhere, pipeline_root
    from mtlx.pipeline.run.run_folder import RunFolder

    try:
        experiment = given_experiment(arguments)
    except ExperimentFileError as error:
        return fail(str(error), EXIT_WRONG_INPUT)
    if arguments.write and experiment.validation.schema_path is None:
        return fail(
            f"{arguments.experiment}: validation.schema_path says where the reviewed schema is "
            "to lie, and is absent: set it, for example to schema.pbtxt",
            EXIT_WRONG_INPUT,
        )
    folder = RunFolder.latest(pipeline_root(experiment))
    if folder is None:
        text = f"{experiment.name} has no finished run to take a schema from"
        elsewhere = history_elsewhere(experiment)
        remedy = f"mtlx run {arguments.experiment} --set validation.schema_path=null"
        return fail("\n".join(filter(None, [f"{text}: {remedy}", elsewhere])), EXIT_WRONG_INPUT)
    try:
        text = _reviewable(folder.read_record())
    except ValueError as error:
        return fail(str(error), EXIT_FAILED)
    if not arguments.write:
        print(text, end="")
        return EXIT_OK
    return _write(text, experiment, arguments.overwrite)


def _reviewable(record: dict[str, Any]) -> str:
    """The schema of a run as text, without the marks of what was inferred.

    Raises:
        ValueError: its file is no schema.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    from mtlx.components.span_schema_gen.schema_marks import without_marks

    uri = next(node["outputs"][_OUTPUT][0] for node in record["nodes"] if node["node_id"] in _NODES)
    path = Path(uri) / _FILE
    try:
        schema = text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no schema ({error}): run again") from error
    return text_format.MessageToString(without_marks(schema), as_utf8=True)


def _write(text: str, experiment: "Experiment", overwrite: bool) -> int:
    path = Path(experiment.anchored().validation.schema_path or "")
    if path.exists() and not overwrite and path.read_bytes() != text.encode():
        return fail(
            f"{path} holds another schema: compare it with what mtlx schema prints, then "
            "--overwrite it, or move it away",
            EXIT_WRONG_INPUT,
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(
        f"Written to {path}: review it, and keep it under version control. Runs hold all rows "
        "against it from now on, and infer nothing."
    )
    return EXIT_OK


COMMAND = Command(
    "schema",
    "show the schema of the latest run, or write it down for review",
    "mtlx schema configs/default.yaml --write --set validation.schema_path=schema.pbtxt",
    _add_arguments,
    _run,
)
