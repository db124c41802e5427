"""Whether the files and folders that an experiment names are there, and can be written to."""

import json
import os
import tempfile
from collections.abc import Callable

import pydantic
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from mtlx.components.log_example_gen.readers.files import is_remote
from mtlx.components.report.best_possible_path import has_span
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.preflight.base_model import base_model_problem
from mtlx.pipeline.preflight.given_model import model_problem
from mtlx.transform.config.names import suggest

#: As `mtlx.components.report` has it, which can't be imported without TensorFlow.
_AucBySlice = dict[str, dict[str, float | None]]


def input_problems(experiment: Experiment, must_exist: bool) -> list[str]:
    """What is wrong with the files that are read besides the logs.

    Args:
        experiment: with absolute paths.
        must_exist: a file that is not there is wrong; else it is one that is not seen from here.

    Returns:
        One sentence per problem, beginning with the key.
    """
    inputs: dict[str, tuple[str | None, Callable[[str, Experiment], str | None]]] = {
        "gate.given_model": (experiment.gate.given_model, _model),
        "validation.schema_path": (experiment.validation.schema_path, _schema),
        "report.best_possible": (experiment.report.best_possible, _best_possible),
    }
    base = experiment.training.warm_start
    if base is not None:
        inputs["training.warm_start"] = (base.folder, _base_model)
    problems = []
    for key, (path, check) in inputs.items():
        if path is None or is_remote(path) or not (must_exist or os.path.exists(path)):
            continue
        problem = check(path, experiment)
        if problem is not None:
            problems.append(f"{key}: {problem}")
    return problems


def output_problems(experiment: Experiment) -> list[str]:
    """What is wrong with the folders that are written to; paths are absolute."""
    places = {
        "run.pipeline_root": experiment.run.pipeline_root,
        "serving.push_to": experiment.serving.push_to,
    }
    return [
        f"{key}: {problem}"
        for key, path in places.items()
        if path is not None and not is_remote(path) and (problem := _unwritable(path))
    ]


def _unwritable(path: str) -> str | None:
    """Why a folder can't be written to; the folders above it may have to be made."""
    place = path
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        below = "" if place == path else f", below which {path} should be"
        return f"{place} is a file{below}: give the path of a folder"
    try:
        # Tried out: neither mode bits nor the user tell it all, say on a read-only file system.
        with tempfile.TemporaryDirectory(prefix=".mtlx-", dir=place):
            return None
    except OSError as error:
        return f"{place} cannot be written to ({error.strerror}): give another folder"


def _model(path: str, experiment: Experiment) -> str | None:
    return model_problem(path, experiment.tasks)


def _base_model(path: str, experiment: Experiment) -> str | None:
    return base_model_problem(path)


def _schema(path: str, experiment: Experiment) -> str | None:
    """Transform can't do without a feature."""
    schema = schema_pb2.Schema()
    try:
        with open(path, encoding="utf-8") as file:
            text_format.Parse(file.read(), schema)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        reason = getattr(error, "strerror", None) or f"is no schema as text: {error}"
        return f"{path}: {reason}. Take the schema.pbtxt of an earlier run"
    named = [feature.name for feature in schema.feature]
    for name in experiment.features:
        if name not in named:
            return f"{path}: has no feature {name!r}, {suggest(name, named)}"
    return None


def _best_possible(path: str, experiment: Experiment) -> str | None:
    """What the report reads; which of the files of all spans that is, the run finds out."""
    if has_span(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            pydantic.TypeAdapter(_AucBySlice).validate_python(json.load(file))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        reason = getattr(error, "strerror", None) or f"is no JSON: {error}"
        return f"{path}: {reason}. Correct the path, or leave the setting out"
    except pydantic.ValidationError as error:
        return f"{path}: should hold {{task: {{slice: AUC}}}}: {error.errors()[0]['msg']}"
    return None
