"""Sees to it that every span of a run's window is ingested and described."""

import json
import logging
import os
from dataclasses import dataclass
from typing import Any, Literal

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx.components.example_gen import utils
from tfx.orchestration import metadata
from tfx.proto import example_gen_pb2
from tfx.proto.orchestration import pipeline_pb2
from tfx.utils import proto_utils

from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary
from mtlx.components.log_example_gen.rejection import InputRefused, NoRows
from mtlx.components.log_example_gen.spans.span_artifact import SETTINGS_PROPERTY
from mtlx.components.log_example_gen.spans.span_marks import span_words
from mtlx.components.log_example_gen.spans.window_plan import WindowPlan, plan_window
from mtlx.components.log_example_gen.spans.window_settings import WindowSettings
from mtlx.pipeline.graph.resolvers.span_window import SPAN_NODES, SPAN_WINDOW, span_run_id
from mtlx.pipeline.run import node_run

#: The node before which a run sees to its window.
READING_NODE = "LogExampleGen"


@dataclass(frozen=True)
class WindowRun:
    """What was done for a run's window before its own first node.

    Attributes:
        plan: the spans of the run.
        read: older spans that were read in this run, since they never were, or since their files
            or the settings changed.
    """

    plan: WindowPlan
    read: tuple[int, ...]

    def record(self) -> dict[str, Any]:
        """For ``run.json``: older spans that were ``read``, those that are ``missing`` in the logs,
        and ``notices``.
        """
        return {
            "read": list(self.read),
            "missing": list(self.plan.missing),
            "notices": self.plan.notices,
        }


def see_to_window(
    pipeline: pipeline_pb2.Pipeline,
    run_id: str,
    data_path: str | None = None,
    span: int | str | None = None,
    connection: node_run.ConnectionConfig | None = None,
) -> WindowRun | None:
    """Runs LogExampleGen and StatisticsGen for the older spans of a window, the oldest first.

    Each span is a run of its own by `span_run_id`, so that TFX serves what did not change from its
    cache: the logs of a span are read once, and again where they changed. The newest span is left
    to the run itself. A run that was stopped goes on where it was. One line per span that was read
    is logged, and one per notice.

    Args:
        pipeline: compiled, with the run's parameters open; is not changed.
        run_id: of the run.
        data_path: see `node_run.bind_parameters`.
        span: the newest span; None or empty for the latest that there is.
        connection: to ML-Metadata; that of the compiled pipeline if None.

    Returns:
        None where the pipeline has no window. The run itself has to be bound to
        ``plan.newest``.

    Raises:
        InputRefused: the window has gaps, or a span cannot be read; the message names it.
        ValueError: not a span.
    """
    found = _window(pipeline)
    if found is None:
        return None
    window, gaps, matures_after = found
    plan = plan_window(_patterns(pipeline, data_path), window, gaps, span, matures_after)
    for notice in plan.notices:
        logging.warning("%s", notice)
    read = []
    for older in plan.spans[:-1]:
        try:
            line = _see_to_span(pipeline, run_id, older, plan.date, data_path, connection)
        except NoRows as error:
            name = span_words(older, plan.date)
            if gaps == "refuse":
                raise NoRows(
                    f"span {name}: {error}: mend it, or set data.gaps: allow to go on without"
                ) from error
            plan = plan.without(older)
            line = f"span {name} has no rows; the run goes on without (data.gaps: allow)"
        except InputRefused as error:
            raise InputRefused(f"span {span_words(older, plan.date)}: {error}") from error
        else:
            if line is not None:
                read.append(older)
        if line is not None:
            logging.info("%s", line)
    return WindowRun(plan, tuple(read))


def _see_to_span(
    pipeline: pipeline_pb2.Pipeline,
    run_id: str,
    span: int,
    date: bool,
    data_path: str | None,
    connection: node_run.ConnectionConfig | None,
) -> str | None:
    """Runs the nodes of a span; returns what was read, None where nothing had to be."""
    own = pipeline_pb2.Pipeline()
    own.CopyFrom(pipeline)
    node_run.bind_parameters(own, span_run_id(run_id, span), data_path, span_words(span, date))
    line = None
    for node_id in SPAN_NODES:
        outcome = node_run.run_node(own, node_id, connection)
        if node_id == READING_NODE and outcome.state is node_run.NodeState.COMPLETE:
            uri = outcome.outputs[SPAN_NODES[READING_NODE]][0]
            with metadata.Metadata(connection or node_run.connection_of(own)) as handle:
                line = _what_was_read(handle.store, uri, span_words(span, date))
    return line


def _what_was_read(store: ml_metadata.MetadataStore, uri: str, name: str) -> str:
    """A line on a span that was read just now, and why."""
    (made,) = store.get_artifacts_by_uri(uri)
    rows = sum((read_ingestion_summary(uri) or {"rows": {}})["rows"].values())
    before = _read_before(store, made)
    if before is None:
        return f"span {name}: {rows:,} rows read"
    changed = _changed(before.uri, uri)
    if not changed:
        return f"span {name}: {rows:,} rows read again"
    more = f" and {len(changed) - 1:,} more" if len(changed) > 1 else ""
    return f"span {name} changed since it was read ({changed[0]}{more}): {rows:,} rows read again"


def _read_before(
    store: ml_metadata.MetadataStore, made: metadata_store_pb2.Artifact
) -> metadata_store_pb2.Artifact | None:
    """The last examples of the same span that were read with the same settings."""

    def told(artifact: metadata_store_pb2.Artifact) -> tuple[int, str]:
        properties = artifact.custom_properties
        return (
            properties[utils.SPAN_PROPERTY_NAME].int_value,
            properties[SETTINGS_PROPERTY].string_value,
        )

    same = [
        one
        for one in store.get_artifacts_by_type("Examples")
        if one.id < made.id and SETTINGS_PROPERTY in one.custom_properties
        if told(one) == told(made)
    ]
    return max(same, key=_number, default=None)


def _number(artifact: metadata_store_pb2.Artifact) -> int:
    return int(artifact.id)


def _changed(before: str, now: str) -> list[str]:
    """Files that came, went or changed between two readings."""
    then, later = ({_file(source) for source in _sources(uri)} for uri in (before, now))
    return sorted({str(file) for file, _, _ in then ^ later})


def _sources(uri: str) -> list[dict[str, object]]:
    summary = read_ingestion_summary(uri)
    seen = summary["provenance"] if summary else None
    return list(seen["sources"]) if seen else []


def _file(source: dict[str, object]) -> tuple[object, ...]:
    return source["file"], source["size"], source["modified"]


def _window(
    pipeline: pipeline_pb2.Pipeline,
) -> tuple[WindowSettings, Literal["refuse", "allow"], dict[str, int]] | None:
    """Window, what becomes of gaps, and after how many spans the tasks' labels are known, from the
    node of a compiled pipeline.
    """
    for node in pipeline.nodes:
        if node.pipeline_node.node_info.id != SPAN_WINDOW:
            continue
        for graph in node.pipeline_node.inputs.input_graphs.values():
            for inner in graph.nodes.values():
                given = inner.op_node.kwargs
                if "train" in given and "gaps" in given:
                    window = WindowSettings(
                        train=given["train"].value.field_value.int_value,
                        test=given["test"].value.field_value.int_value,
                    )
                    allowed = given["gaps"].value.field_value.string_value == "allow"
                    # To ask a map of protobuf for what it lacks would add it, without a value.
                    late = (
                        given["matures_after"].value.field_value.string_value
                        if "matures_after" in given
                        else "{}"
                    )
                    gaps: Literal["refuse", "allow"] = "allow" if allowed else "refuse"
                    return window, gaps, json.loads(late)
    return None


def _patterns(pipeline: pipeline_pb2.Pipeline, data_path: str | None) -> list[str]:
    """Patterns of the logs, below the folder that a run names or the compiled one."""
    (node,) = (
        one.pipeline_node
        for one in pipeline.nodes
        if one.pipeline_node.node_info.id == READING_NODE
    )
    values = node.parameters.parameters
    base = values["input_base"]
    compiled = base.runtime_parameter.default_value if base.HasField("runtime_parameter") else None
    folder = data_path or (compiled or base.field_value).string_value
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(values["input_config"].field_value.string_value, config)
    return [os.path.join(folder, split.pattern) for split in config.splits]
