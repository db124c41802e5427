"""Driver of LogExampleGen: the stock one, after a check that there is input."""

import os
from typing import Any

from tfx.components.example_gen import driver, utils
from tfx.orchestration import data_types
from tfx.proto import example_gen_pb2
from tfx.utils import proto_utils

from mtlx.components.log_example_gen.joins.joins import joined_files
from mtlx.components.log_example_gen.readers import READERS
from mtlx.components.log_example_gen.readers.files import as_written, content_digest, matching_files
from mtlx.components.log_example_gen.rejection import InputRefused
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.spans.remembered_digest import (
    DIGESTS_FOLDER,
    remembered_digest,
)
from mtlx.components.log_example_gen.spans.window_settings import SpanSplit


class Driver(driver.FileBasedDriver):
    """Resolves spans and the fingerprint of all input files; changed files are a new input.

    The fingerprint is the stock one (number of files, their sizes and times of change by the
    second) and `content_digest`, so that a file which is replaced by one of the same size and
    time is noticed.
    """

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        """See the base class.

        Raises:
            InputRefused: no file matches a pattern, or the span has no place or no files.
        """
        config = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties["input_config"], config)
        _take_as_written(exec_properties, config)
        base = exec_properties["input_base"]
        patterns = [os.path.join(base, split.pattern) for split in config.splits]
        placed = [p for p in patterns if "{" in p or matching_files(p)]
        lacking = [p for p in patterns if p not in placed]
        reader = READERS.get(DataSettings.from_json(exec_properties["data"]).reader)
        if exec_properties.get("range_config") and not any("{" in p for p in patterns):
            raise InputRefused(
                f"a span was asked for ({exec_properties['range_config']}), but no data.path has "
                "{SPAN} in it: leave the span empty, or put {SPAN} where the logs differ"
            )
        if not placed or (lacking and not reader.alternatives):
            raise InputRefused(
                f"no file matches {' or '.join(lacking)}: check data.path, and --data or "
                f"MTLX_DATA for relative paths{exec_properties.get('remedy') or ''}"
            )
        # The stock driver fails on a pattern without files; a reader may offer alternatives.
        kept = [
            split
            for split, pattern in zip(config.splits, patterns, strict=True)
            if pattern in placed
        ]
        del config.splits[:]
        config.splits.extend(kept)
        exec_properties["input_config"] = proto_utils.proto_to_json(config)
        try:
            resolved = super().resolve_exec_properties(
                exec_properties, pipeline_info, component_info
            )
        except ValueError as error:
            wanted = exec_properties.get("range_config") or "the latest span"
            raise InputRefused(
                f"{error}. Looked for {wanted} of {', '.join(patterns)}: check data.path and the "
                "span, or data_path of the run"
            ) from error
        try:
            digest = self._content_digest(resolved)
        except OSError as error:
            raise InputRefused(f"{error.filename}: cannot be read: {error.strerror}") from error
        resolved[utils.FINGERPRINT_PROPERTY_NAME] += f"\ncontent:{digest}"
        return resolved

    def _content_digest(self, exec_properties: dict[str, Any]) -> str:
        """Of the files; those of a window's spans are not read again where they did not change."""
        files = _files(exec_properties)
        data = DataSettings.from_json(exec_properties["data"])
        # Tables may change while the logs don't.
        files += joined_files(data.join)
        if not isinstance(data.split, SpanSplit):
            return content_digest(files)
        root = os.path.dirname(exec_properties["quarantine_dir"].rstrip("/"))
        folder = os.path.join(root, DIGESTS_FOLDER)
        return remembered_digest(files, folder)


def _take_as_written(exec_properties: dict[str, Any], config: example_gen_pb2.Input) -> None:
    """Makes patterns of paths that exist as they are written stand for themselves."""
    base = exec_properties["input_base"]
    written = as_written(base)
    for split in config.splits:
        pattern = as_written(os.path.join(base, split.pattern))
        split.pattern = pattern.removeprefix(written).lstrip("/")
    exec_properties["input_base"] = written


def _files(exec_properties: dict[str, Any]) -> list[str]:
    """Input files of the resolved patterns."""
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties["input_config"], config)
    base = exec_properties["input_base"]
    patterns = [os.path.join(base, split.pattern) for split in config.splits]
    return sorted({file for pattern in patterns for file in matching_files(pattern)})
