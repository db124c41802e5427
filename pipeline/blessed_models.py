"""Models that were blessed before, and the examples that they were trained on."""

from dataclasses import dataclass

from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.types import standard_artifacts

_INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.INTERNAL_INPUT)
_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)

ResolverInputs = dict[str, list[types.Artifact]]


@dataclass(frozen=True)
class BlessedModel:
    """A model that the gate let through.

    Attributes:
        model: the artifact.
        blessing: its latest one.
    """

    model: types.Artifact
    blessing: types.Artifact


def blessed_models(input_dict: ResolverInputs) -> list[BlessedModel]:
    """Lists the blessed models but for the candidate, the oldest first.

    Args:
        input_dict: ``model`` and ``model_blessing`` are histories, ``candidate`` is left out.
    """
    candidates = {model.id for model in input_dict.get("candidate", [])}
    blessings = {
        blessing.get_int_custom_property("current_model_id"): blessing
        for blessing in input_dict.get("model_blessing", [])
        if blessing.get_int_custom_property("blessed") == 1
    }
    blessed = [
        BlessedModel(model, blessings[model.id])
        for model in input_dict.get("model", [])
        if isinstance(model, standard_artifacts.Model)
        and model.id in blessings
        and model.id not in candidates
    ]
    return sorted(blessed, key=lambda found: found.model.id)


def examples_of(
    store: object, model: types.Artifact, input_dict: ResolverInputs
) -> list[types.Artifact]:
    """The raw examples that a model was trained and tested on, empty where they are not known.

    They are what an ExampleGen wrote: the examples before the model that nothing else went into.

    Args:
        store: ML-Metadata; None where there is none.
        model: the model.
        input_dict: ``examples`` is the history to choose from.
    """
    by_id = {found.id: found for found in input_dict.get("examples", [])}
    if store is None or not by_id:
        return []
    seen: set[int] = set()
    waiting = [model.id]
    while waiting:
        artifacts = _behind(store, waiting)
        if artifacts is None:
            return [by_id[number] for number in sorted(waiting) if number in by_id][:1]
        waiting = [number for number in artifacts if number not in seen]
        seen |= artifacts
        sources = [number for number in waiting if number in by_id and not _behind(store, [number])]
        if sources:
            return [by_id[min(sources)]]
    return []


def _behind(store: object, artifacts: list[int]) -> set[int] | None:
    """Artifacts that went into the making of some artifacts; None where nothing did."""
    events = store.get_events_by_artifact_ids(artifacts)
    executions = {event.execution_id for event in events if event.type in _OUTPUTS}
    if not executions:
        return None
    events = store.get_events_by_execution_ids(sorted(executions))
    return {event.artifact_id for event in events if event.type in _INPUTS} or None
