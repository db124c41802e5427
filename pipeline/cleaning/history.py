"""What the metadata store knows of a pipeline's runs, read once."""

import dataclasses
from collections.abc import Iterable, Iterator

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from mtlx.pipeline.run.workplace import StoreLost

_INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.INTERNAL_INPUT)
#: Ids in one request; a server takes no message of any size.
_CHUNK = 500
#: What a run's id is followed by where it ingests a further span, see `mtlx.pipeline.run`.
_SPAN_PART = ".span-"


@dataclasses.dataclass
class PastRun:
    """One run, with those that ingested spans for it.

    Attributes:
        run_id: of the run.
        started: when, in milliseconds since 1970.
        names: ids of all its parts.
        executions: of all its parts.
    """

    run_id: str
    started: int
    names: list[str] = dataclasses.field(default_factory=list)
    executions: set[int] = dataclasses.field(default_factory=set)


@dataclasses.dataclass(frozen=True)
class History:
    """The runs of one pipeline.

    Attributes:
        runs: the oldest first.
        executions: of the pipeline, by id.
        artifacts: that went into these or came out, by id.
        kinds: names of the artifacts' types, by id of the artifact.
        inputs: of an execution, ids of artifacts.
        outputs: likewise.
        makers: of an artifact, executions that gave it.
        foreign_uris: URIs of artifacts that other pipelines of the same store have.
        foreign_runs: ids of other pipelines' runs.
        latest_execution: the largest number that the store has given.
    """

    runs: list[PastRun]
    executions: dict[int, metadata_store_pb2.Execution]
    artifacts: dict[int, metadata_store_pb2.Artifact]
    kinds: dict[int, str]
    inputs: dict[int, set[int]]
    outputs: dict[int, set[int]]
    makers: dict[int, set[int]]
    foreign_uris: frozenset[str]
    foreign_runs: frozenset[str]
    latest_execution: int

    @classmethod
    def read(cls, store: ml_metadata.MetadataStore, pipeline: str) -> "History":
        """Reads a pipeline.

        Raises:
            StoreLost: the store knows no such pipeline.
        """
        context = store.get_context_by_type_and_name("pipeline", pipeline)
        if context is None:
            raise StoreLost(
                f"the metadata store knows no run of {pipeline}: it was emptied, replaced or set "
                "back, or nothing was run yet"
            )
        executions = {found.id: found for found in store.get_executions_by_context(context.id)}
        inputs, outputs, makers = _events(store, sorted(executions))
        touched = set().union(*inputs.values(), *outputs.values())
        everything = {found.id: found for found in store.get_artifacts()}
        artifacts = {number: everything[number] for number in touched if number in everything}
        artifacts |= {found.id: found for found in store.get_artifacts_by_context(context.id)}
        names = {kind.id: kind.name for kind in store.get_artifact_types()}
        runs, foreign = _runs(store, executions)
        latest = store.get_executions(
            ml_metadata.ListOptions(limit=1, order_by=ml_metadata.OrderByField.ID, is_asc=False)
        )
        return cls(
            runs,
            executions,
            artifacts,
            {number: names[found.type_id] for number, found in artifacts.items()},
            inputs,
            outputs,
            makers,
            frozenset(
                found.uri.rstrip("/")
                for number, found in everything.items()
                if number not in artifacts
            ),
            foreign,
            latest[0].id if latest else 0,
        )

    def of_kind(self, kind: str) -> list[metadata_store_pb2.Artifact]:
        """Artifacts of a type that can be used, by id."""
        return [
            self.artifacts[number]
            for number in sorted(self.artifacts)
            if self.kinds[number] == kind
            and self.artifacts[number].state == metadata_store_pb2.Artifact.LIVE
        ]

    def touched(self, executions: Iterable[int]) -> set[int]:
        """Artifacts that went into executions, or came out of them."""
        found: set[int] = set()
        for number in executions:
            found |= self.inputs.get(number, set()) | self.outputs.get(number, set())
        return found

    def inputs_of(self, artifact: int) -> set[int]:
        """Artifacts that went into the making of one."""
        return set().union(*(self.inputs.get(m, set()) for m in self.makers.get(artifact, set())))

    def under_way(self, run: PastRun, since: int) -> bool:
        """Whether a run has a node at work, or one that ended since a time in milliseconds."""
        return any(
            self.executions[number].last_update_time_since_epoch >= since
            for number in run.executions
        )


def _events(
    store: ml_metadata.MetadataStore, executions: list[int]
) -> tuple[dict[int, set[int]], dict[int, set[int]], dict[int, set[int]]]:
    """Inputs and outputs of executions, and the makers of artifacts; see `History`."""
    inputs: dict[int, set[int]] = {}
    outputs: dict[int, set[int]] = {}
    makers: dict[int, set[int]] = {}
    for ids in _chunks(executions):
        for event in store.get_events_by_execution_ids(ids):
            if event.type in _INPUTS:
                inputs.setdefault(event.execution_id, set()).add(event.artifact_id)
                continue
            # Also what is still being written.
            outputs.setdefault(event.execution_id, set()).add(event.artifact_id)
            # A resolver hands on what another node made.
            if event.type == metadata_store_pb2.Event.OUTPUT:
                makers.setdefault(event.artifact_id, set()).add(event.execution_id)
    return inputs, outputs, makers


def _runs(
    store: ml_metadata.MetadataStore, executions: dict[int, metadata_store_pb2.Execution]
) -> tuple[list[PastRun], frozenset[str]]:
    """The pipeline's runs, the oldest first, and the ids of other pipelines' runs."""
    runs: dict[str, PastRun] = {}
    foreign = set()
    contexts = store.get_contexts_by_type("pipeline_run")
    for context in sorted(contexts, key=lambda found: found.id):
        own = {found.id for found in store.get_executions_by_context(context.id)} & set(executions)
        name = context.name.partition(_SPAN_PART)[0]
        if not own:
            foreign.add(name)
            continue
        run = runs.setdefault(name, PastRun(name, context.create_time_since_epoch))
        run.names.append(context.name)
        run.executions |= own
        run.started = min(run.started, context.create_time_since_epoch)
    ordered = sorted(runs.values(), key=lambda run: (run.started, max(run.executions)))
    return ordered, frozenset(foreign - set(runs))


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
