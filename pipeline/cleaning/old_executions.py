"""What the metadata store holds of the settings of old executions, which takes most of its room.

Every execution notes its settings, the data contract among them, and the store indexes each text:
some 10 kB, and a run over a window of spans has two executions for each. An execution's key in
TFX's cache is made of them when it begins, nobody reads them again, and the run's record has the
experiment. SQLite gives the room to the runs that come.
"""

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from mtlx.pipeline.cleaning.history import History
from mtlx.pipeline.cleaning.needed import Needed

#: Longer texts go, in characters.
_LONG = 200
_CHUNK = 500


def with_long_texts(history: History, stays: Needed) -> list[metadata_store_pb2.Execution]:
    """Executions of runs that are not kept, whose properties hold long texts."""
    return [
        execution
        for number, execution in sorted(history.executions.items())
        if number not in stays.executions and _long(execution)
    ]


def empty_long_texts(
    store: ml_metadata.MetadataStore, executions: list[metadata_store_pb2.Execution]
) -> None:
    """Leaves empty texts in their place; inputs, outputs and states stay."""
    for execution in executions:
        for name in _long(execution):
            execution.custom_properties[name].string_value = ""
    for start in range(0, len(executions), _CHUNK):
        store.put_executions(executions[start : start + _CHUNK])


def _long(execution: metadata_store_pb2.Execution) -> list[str]:
    return [
        name
        for name, value in execution.custom_properties.items()
        if len(value.string_value) > _LONG
    ]
