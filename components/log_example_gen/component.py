"""LogExampleGen: the TFX component that turns raw logs into tf.Examples."""

import os

from tfx import types
from tfx.components.example_gen import component
from tfx.dsl.components.base import executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.proto import example_gen_pb2, range_config_pb2
from tfx.types import component_spec, standard_artifacts

from mtlx.components.log_example_gen.driver import Driver
from mtlx.components.log_example_gen.executor import Executor
from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.settings import DataSettings, span_number
from mtlx.transform.contract.contract_property import CONTRACT_PROPERTY
from mtlx.transform.contract.data_contract import DataContract

#: Settings of which the examples do not depend, as they are where nobody sets them; and those that
#: are for another node.
_NOT_OF_THE_EXAMPLES = {"span": None, "window": None, "gaps": "refuse"}
_NOT_READ = {"serving_path", "weight"}


class LogExampleGenSpec(component_spec.ComponentSpec):
    """What the stock driver needs of FileBasedExampleGen's parameters, and our own."""

    PARAMETERS = {
        "input_base": component_spec.ExecutionParameter(type=str),
        "input_config": component_spec.ExecutionParameter(type=example_gen_pb2.Input),
        "data": component_spec.ExecutionParameter(type=str),
        CONTRACT_PROPERTY: component_spec.ExecutionParameter(type=str),
        "range_config": component_spec.ExecutionParameter(
            type=range_config_pb2.RangeConfig, optional=True
        ),
        "quarantine_dir": component_spec.ExecutionParameter(type=str),
        "remedy": component_spec.ExecutionParameter(type=str, optional=True),
    }
    INPUTS: dict[str, component_spec.ChannelParameter] = {}
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
        input_base: runtime parameter for the folder that the patterns start from; None for the
            deepest that `data.path` has in common.
        range_config: runtime parameter for the span, as JSON of a RangeConfig (empty: the
            latest); None for `data.span`.
    """

    SPEC_CLASS = LogExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        data: DataSettings,
        contract: DataContract,
        quarantine_dir: str,
        input_base: RuntimeParameter | None = None,
        range_config: RuntimeParameter | None = None,
    ) -> None:
        reader = READERS.build(data.reader, data.options)
        contract = contract.of_examples.model_copy(
            update={"missing": DataContract.bare(reader.missing)}
        )
        patterns = _patterns(data)
        base = _common_folder(patterns)
        splits = [
            example_gen_pb2.Input.Split(
                name=f"input_{index}", pattern=pattern.removeprefix(base).lstrip("/")
            )
            for index, pattern in enumerate(patterns)
        ]
        address = reader.address
        spec = LogExampleGenSpec(
            input_base=base if input_base is None else input_base,
            input_config=example_gen_pb2.Input(splits=splits),
            range_config=range_of(data.span) if range_config is None else range_config,
            # Which span it is stands in range_config alone, and what spans are for is of no
            # matter here: another window reads none of them anew, nor do serving logs.
            data=data.model_copy(update=_NOT_OF_THE_EXAMPLES).model_dump_json(exclude=_NOT_READ),
            data_contract=contract.to_json(),
            quarantine_dir=quarantine_dir,
            remedy=f". The data set is at {address}" if address else None,
            examples=types.Channel(type=standard_artifacts.Examples),
        )
        # FileBasedExampleGen's constructor builds the stock spec; its base takes any.
        super(component.FileBasedExampleGen, self).__init__(spec=spec)


def input_base(data: DataSettings) -> str:
    """The folder that the patterns of a `data` section start from."""
    return _common_folder(_patterns(data))


def range_of(span: int | str | None) -> range_config_pb2.RangeConfig | None:
    """A span as the stock driver takes it; None, the latest, as None."""
    if span is None:
        return None
    number = span_number(span)
    return range_config_pb2.RangeConfig(
        static_range=range_config_pb2.StaticRange(start_span_number=number, end_span_number=number)
    )


def _patterns(data: DataSettings) -> list[str]:
    reader = READERS.build(data.reader, data.options)
    return [pattern for path in data.path for pattern in reader.patterns(_absolute(path))]


def _absolute(path: str) -> str:
    """The path from the root on; abspath alone would take the ``/`` off a folder's end."""
    if "://" in path:
        return path
    return os.path.join(os.path.abspath(path), "") if path.endswith("/") else os.path.abspath(path)


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
