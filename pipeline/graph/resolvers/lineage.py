"""Which raw examples a model was trained on, and which models were trained on them."""

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

_EXAMPLES = standard_artifacts.Examples.TYPE_NAME
_MODEL = standard_artifacts.Model.TYPE_NAME
_SPAN, _FILES = "span", "input_fingerprint"


def trained_on(store: ml_metadata.MetadataStore, model: int) -> list[metadata_store_pb2.Artifact]:
    """The raw examples of a model: those before it that no other examples were made into.

    Nodes that write nothing of their own, resolvers say, are passed by; so is a base model, whose
    examples are not among them.

    Args:
        store: ML-Metadata.
        model: number of the model's artifact.
    """
    raw: dict[int, metadata_store_pb2.Artifact] = {}
    waiting, seen = _inputs_of(store, model), set()
    while waiting:
        found = waiting.pop()
        if found.id in seen:
            continue
        seen.add(found.id)
        before = _inputs_of(store, found.id)
        if before:
            waiting += before
        else:
            raw[found.id] = found
    return [raw[number] for number in sorted(raw)]


def models_trained_on(store: ml_metadata.MetadataStore, examples: int) -> set[int]:
    """Numbers of the models that were trained on raw examples themselves, not by a base model.

    Args:
        store: ML-Metadata.
        examples: number of the examples' artifact.
    """
    models: set[int] = set()
    waiting, seen = [examples], set()
    while waiting:
        number = waiting.pop()
        if number in seen:
            continue
        seen.add(number)
        for made in _made_of(store, number):
            if made.type == _MODEL:
                models.add(made.id)
            elif made.type == _EXAMPLES:
                waiting.append(made.id)
    return models


def span_of(examples: metadata_store_pb2.Artifact) -> int:
    """The span of raw examples; 0 where they have none."""
    for properties in (examples.properties, examples.custom_properties):
        if _SPAN in properties:
            value = properties[_SPAN]
            return int(value.string_value or value.int_value)
    return 0


def files_of(examples: metadata_store_pb2.Artifact) -> str:
    """The fingerprint of the files that raw examples were read from; empty where there is none."""
    fingerprint: str = examples.custom_properties[_FILES].string_value
    return fingerprint


def _inputs_of(
    store: ml_metadata.MetadataStore, artifact: int
) -> list[metadata_store_pb2.Artifact]:
    """Examples that went into the node that wrote an artifact."""
    events = store.get_events_by_artifact_ids([artifact])
    wrote = {e.execution_id for e in events if e.type == metadata_store_pb2.Event.OUTPUT}
    return _artifacts(store, wrote, metadata_store_pb2.Event.INPUT, (_EXAMPLES,))


def _made_of(store: ml_metadata.MetadataStore, artifact: int) -> list[metadata_store_pb2.Artifact]:
    """Examples and models that were written by nodes which read an artifact."""
    events = store.get_events_by_artifact_ids([artifact])
    read = {e.execution_id for e in events if e.type == metadata_store_pb2.Event.INPUT}
    return _artifacts(store, read, metadata_store_pb2.Event.OUTPUT, (_EXAMPLES, _MODEL))


def _artifacts(
    store: ml_metadata.MetadataStore, executions: set[int], kind: int, types: tuple[str, ...]
) -> list[metadata_store_pb2.Artifact]:
    events = store.get_events_by_execution_ids(sorted(executions)) if executions else []
    numbers = sorted({event.artifact_id for event in events if event.type == kind})
    found = store.get_artifacts_by_id(numbers) if numbers else []
    return [artifact for artifact in found if artifact.type in types]
