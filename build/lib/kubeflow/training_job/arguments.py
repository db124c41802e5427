"""What the workers of a training job are told: the arguments of `run_fn`, as a JSON file."""

import json
import os
from typing import Any

import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

#: Fields that hold functions, which no file can; our `run_fn` reads none of them.
_NOT_WRITTEN = ("data_accessor",)
#: Fields that say where results go, which another attempt of the same task may have others of.
OUTPUT_FIELDS = ("serving_model_dir", "eval_model_dir", "model_run_dir", "working_dir")


def arguments_uri(fn_args: FnArgs) -> str:
    """Where the arguments of a training are written: below its own folder for records."""
    return os.path.join(fn_args.model_run_dir, "training_job", "arguments.json")


def to_values(fn_args: FnArgs) -> dict[str, Any]:
    """The arguments as plain values by field name."""
    values = vars(fn_args)
    return {name: value for name, value in values.items() if name not in _NOT_WRITTEN}


def write_arguments(fn_args: FnArgs, uri: str) -> dict[str, Any]:
    """Writes the arguments, unless they are there already: workers may be reading them.

    Returns:
        The arguments as plain values by field name.
    """
    values = json.loads(json.dumps(to_values(fn_args)))
    if read_values(uri) != values:
        tf.io.gfile.makedirs(os.path.dirname(uri))
        with tf.io.gfile.GFile(f"{uri}.new", "w") as file:
            file.write(json.dumps(values, indent=2, sort_keys=True))
        tf.io.gfile.rename(f"{uri}.new", uri, overwrite=True)
    return values


def read_values(uri: str) -> dict[str, Any] | None:
    """The arguments as plain values by field name; None where there is no such file."""
    if not uri or not tf.io.gfile.exists(uri):
        return None
    with tf.io.gfile.GFile(uri) as file:
        return json.loads(file.read())


def read_arguments(uri: str) -> FnArgs:
    """The arguments as `run_fn` takes them.

    Raises:
        ValueError: there is no such file, or it holds something else.
    """
    try:
        values = read_values(uri)
        if values is None:
            raise ValueError("there is no such file; is the volume of the pipeline root mounted?")
        return FnArgs(**values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"arguments of the training, {uri}: {error}") from error
