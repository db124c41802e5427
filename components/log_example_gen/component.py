"""LogExampleGen: the TFX component that turns raw logs into tf.Examples."""

import os

from tfx import types
from tfx.components.example_gen import component
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.types import component_spec, standard_artifacts

from components.log_example_gen.driver import Driver
from components.log_example_gen.executor import Executor
from components.log_example_gen.readers import READERS
from components.log_example_gen.settings import DataSettings
from transform.data_contract import DataContract


class LogExampleGenSpec(component_spec.ComponentSpec):
    """What the stock driver needs of FileBasedExampleGen's parameters, and our own."""

    PARAMETERS = {
        "input_base": component_spec.ExecutionParameter(type=str),
        "input_config": component_spec.ExecutionParameter(type=example_gen_pb2.Input),
        "data": component_spec.ExecutionParameter(type=str),
        "data_contract": component_spec.ExecutionParameter(type=str),
        "quarantine_dir": component_spec.ExecutionParameter(type=str),
        "remedy": component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {}
    OUTPUTS = {"examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)}


class LogExampleGen(component.FileBasedExampleGen):
    """Reads logs into the splits train, validation and test.

    The output is the stock artifact: gzip TFRecords of tf.Examples, keyed by feature name and
    label column; beside the splits, ``ingestion/summary.json`` counts rows. Malformed rows are
    written under `quarantine_dir`, which outlives a failed run.

    Args:
        data: what the logs are and how they are split.
        contract: what their columns mean.
        quarantine_dir: folder for malformed rows.
    """

    SPEC_CLASS = LogExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(self, data: DataSettings, contract: DataContract, quarantine_dir: str) -> None:
        reader = READERS.build(data.reader, data.options)
        paths = [path if "://" in path else os.path.abspath(path) for path in data.path]
        patterns = [pattern for path in paths for pattern in reader.patterns(path)]
        base = _common_folder(patterns)
        splits = [
            example_gen_pb2.Input.Split(
                name=f"input_{index}", pattern=pattern.removeprefix(base).lstrip("/")
            )
            for index, pattern in enumerate(patterns)
        ]
        address = reader.address
        spec = LogExampleGenSpec(
            input_base=base,
            input_config=example_gen_pb2.Input(splits=splits),
            data=data.to_json(),
            data_contract=contract.to_json(),
            quarantine_dir=quarantine_dir,
            remedy=f". The data set is at {address}" if address else None,
            examples=types.Channel(type=standard_artifacts.Examples),
        )
        # FileBasedExampleGen's constructor builds the stock spec; its base takes any.
        super(component.FileBasedExampleGen, self).__init__(spec=spec)


def _common_folder(patterns: list[str]) -> str:
    """The deepest folder without wildcards or span markers that is common to all patterns."""
    folders = []
    for pattern in patterns:
        folder = os.path.dirname(pattern)
        while any(mark in folder for mark in "*?[{"):
            folder = os.path.dirname(folder)
        folders.append(folder)
    # os.path.commonpath would fold the two slashes of gs://.
    common = os.path.commonprefix([f"{folder}/" for folder in folders])
    return common.rpartition("/")[0] or "/"
