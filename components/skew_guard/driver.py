"""Driver of `SkewGuard`: serving logs and versions are inputs that TFX does not know."""

import hashlib
import json
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_driver as dsl_base_driver
from tfx.orchestration import data_types_utils, metadata
from tfx.orchestration.portable import base_driver, data_types
from tfx.proto.orchestration import driver_output_pb2

from mtlx.components.log_example_gen.readers.files import content_digest, is_remote
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.spans.span_artifact import span_of
from mtlx.components.skew_guard.served_versions import versions_by_then
from mtlx.components.skew_guard.serving_logs import ServingLogs, serving_logs
from mtlx.components.skew_guard.settings import SkewSettings

#: Execution property: digest of the files and of the versions that may have made their scores.
LOOK = "look"


class Driver(dsl_base_driver.BaseDriver, base_driver.BaseDriver):
    """Has the cache answer only where serving logs and versions are the same.

    Raises:
        InputRefused: there are no serving logs, and `missing_logs` is ``refuse``.
    """

    def __init__(self, connection: metadata.Metadata):
        # The first base is what a component may name, the second what the launcher calls.
        dsl_base_driver.BaseDriver.__init__(self, connection)

    def run(self, execution_info: data_types.ExecutionInfo) -> driver_output_pb2.DriverOutput:
        """Returns the execution's properties and outputs as they are, but for `LOOK`."""
        properties = execution_info.exec_properties
        logs = logs_of(execution_info.input_dict, properties)
        settings = SkewSettings.from_json(properties["skew_settings"])
        if not logs.files and settings.missing_logs == "refuse":
            raise InputRefused(
                f"{logs.note}. Write them, or set skew.missing_logs: allow to go on without"
            )
        seen: list[Any] = [logs.span, logs.note, list(logs.files)]
        if logs.files:
            seen.append(content_digest(list(logs.files)))
            seen += [_size(file) for file in logs.files if is_remote(file)]
        if settings.scores and properties["versions_in"]:
            versions = versions_by_then(properties["versions_in"], logs.files, logs.span)
            seen.append([version.number for version in versions])
        output = driver_output_pb2.DriverOutput()
        digest = hashlib.blake2b(json.dumps(seen).encode(errors="surrogateescape"), digest_size=16)
        data_types_utils.set_metadata_value(output.exec_properties[LOOK], digest.hexdigest())
        return output


def logs_of(input_dict: dict[str, list[types.Artifact]], properties: dict[str, Any]) -> ServingLogs:
    """The serving logs of a run, by the spans of its examples."""
    artifacts = [*input_dict.get("older_examples", []), *input_dict["examples"]]
    spans = [span for artifact in artifacts if (span := span_of(artifact)) is not None]
    return serving_logs(json.loads(properties["serving_path"]), spans)


def _size(file: str) -> list[float]:
    """Of a file of another file system, which sets the time of a change itself."""
    from apache_beam.io.filesystems import FileSystems

    (match,) = FileSystems.match([file])[0].metadata_list
    return [match.size_in_bytes, match.last_updated_in_seconds or 0.0]
