"""Resolver of a window: the examples and statistics of the spans that a run is made of."""

import json
from typing import Any

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.dsl.components.base import base_node
from tfx.dsl.components.common import resolver
from tfx.types import artifact_utils

from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.components.log_example_gen.spans.span_artifact import span_of
from mtlx.transform.contract.data_contract import DataContract

#: Id of the resolver node.
SPAN_WINDOW = "SpanWindow"

_RUN = "pipeline_run"
_OUTPUT = metadata_store_pb2.Event.OUTPUT
#: Nodes that are run for every span, and their outputs.
SPAN_NODES = {"LogExampleGen": "examples", "StatisticsGen": "statistics"}
_LISTS = ("train_examples", "test_examples", "train_statistics", "test_statistics")


def span_run_id(run_id: str, span: int) -> str:
    """Id under which a run sees to an older span of its window."""
    return f"{run_id}.span-{span}"


class SpanWindowStrategy(resolver.ResolverStrategy):
    """The spans of a run's window, by what they are for.

    Before this node, `mtlx.pipeline.run.window_run.see_to_window` had LogExampleGen and
    StatisticsGen give this run the artifacts of every span, from the cache where nothing changed.
    Those are taken: what the same nodes gave under the run's id, and under `span_run_id` of it.

    TFX's own ways do not serve. `SpanRangeStrategy`, and the operations ``ConsecutiveSpans``,
    ``LatestSpan`` and ``StaticSpanRange``, choose among all artifacts of a pipeline by the number
    of their span and version: a span that was read with other settings, or before its files
    changed back, would be as good as today's, for files without ``{VERSION}`` have none. And none
    of them takes statistics: these have no version, and their span is no custom property.

    All inputs are this run's own artifacts: ``train_examples`` and ``test_examples`` of
    LogExampleGen, the others of StatisticsGen.

    Args:
        train: spans before those that test.
        test: newest spans.
        gaps: is not asked here; `see_to_window` reads it from the compiled pipeline.
        matures_after: likewise; JSON, by task after how many spans its labels are known.
    """

    def __init__(self, train: int, test: int, gaps: str, matures_after: str = ""):
        del gaps, matures_after
        self._train, self._test = train, test

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]] | None:
        """Returns the artifacts, the oldest span first; None where training or test has none."""
        (newest,) = input_dict["test_examples"]
        last = span_of(newest)
        if last is None:
            raise ValueError(f"{newest.uri}: these examples have no span")
        run_id, first_test = _run_of(store, newest), last - self._test + 1
        found: dict[str, list[types.Artifact]] = {name: [] for name in _LISTS}
        for span in range(first_test - self._train, last + 1):
            role = "train" if span < first_test else "test"
            given = _given(store, run_id if span == last else span_run_id(run_id, span))
            for kind in SPAN_NODES.values():
                found[f"{role}_{kind}"] += given.get(kind, [])
        return found if all(found.values()) else None


def span_window(
    data: DataSettings,
    examples: base_node.BaseNode,
    statistics: base_node.BaseNode,
    contract: DataContract | None = None,
) -> base_node.BaseNode:
    """The node; its outputs are lists: ``train_examples``, ``test_examples``,
    ``train_statistics`` and ``test_statistics``.

    Args:
        data: with a window.
        examples: LogExampleGen, which reads the newest span.
        statistics: of those.
        contract: of the run, where its tasks' labels are not all known at once.
    """
    window = data.window
    if window is None:
        raise ValueError("data.window is not set")
    raw, described = examples.outputs["examples"], statistics.outputs["statistics"]
    config: dict[str, Any] = {"train": window.train, "test": window.test, "gaps": data.gaps}
    if contract is not None and contract.has_late_labels:
        config["matures_after"] = json.dumps(contract.matures_after)
    return resolver.Resolver(
        strategy_class=SpanWindowStrategy,
        config=config,
        train_examples=raw,
        test_examples=raw,
        train_statistics=described,
        test_statistics=described,
    ).with_id(SPAN_WINDOW)


def _given(store: ml_metadata.MetadataStore, run_id: str) -> dict[str, list[types.Artifact]]:
    """What the nodes gave under a run's id: ``examples`` and ``statistics``; of each the first."""
    context = store.get_context_by_type_and_name(_RUN, run_id)
    if context is None:
        return {}
    state = metadata_store_pb2.Execution.State
    ended = [
        execution.id
        for execution in store.get_executions_by_context(context.id)
        if execution.last_known_state in (state.COMPLETE, state.CACHED)
    ]
    outputs: dict[str, dict[int, list[int]]] = {}
    for event in store.get_events_by_execution_ids(ended) if ended else ():
        key = event.path.steps[0].key if event.path.steps else ""
        if event.type == _OUTPUT and key in SPAN_NODES.values():
            outputs.setdefault(key, {}).setdefault(event.execution_id, []).append(event.artifact_id)
    return {key: _artifacts(store, made[min(made)]) for key, made in outputs.items()}


def _run_of(store: ml_metadata.MetadataStore, artifact: types.Artifact) -> str:
    """Id of the run that was given an artifact last: this one's, from the cache or not."""
    executions = {
        event.execution_id
        for event in store.get_events_by_artifact_ids([artifact.id])
        if event.type == _OUTPUT
    }
    for context in store.get_contexts_by_execution(max(executions)):
        if context.type == _RUN:
            return str(context.name)
    raise ValueError(f"{artifact.uri}: no run is known that made it")


def _artifacts(store: ml_metadata.MetadataStore, numbers: list[int]) -> list[types.Artifact]:
    found = store.get_artifacts_by_id(numbers)
    kinds = store.get_artifact_types_by_id([one.type_id for one in found])
    return [
        artifact_utils.deserialize_artifact(kind, one)
        for kind, one in zip(kinds, found, strict=True)
    ]
