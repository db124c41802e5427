"""The one reader of what ML-Metadata tells of models: what made them, and what tested them."""

from dataclasses import dataclass

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx.types import standard_artifacts

from mtlx.components.event_keys import keys_of

_EVENT = metadata_store_pb2.Event
_READ = (_EVENT.INPUT, _EVENT.INTERNAL_INPUT)
#: A resolver's events are internal: it gives what others made.
_MADE = (_EVENT.OUTPUT,)
_MODEL = standard_artifacts.Model.TYPE_NAME
_KINDS = (_MODEL, standard_artifacts.Examples.TYPE_NAME)

#: Inputs of the nodes that make a model, by name.
_EXAMPLES, _BASE_MODEL = "examples", "base_model"
#: Nodes that evaluate, ours and the stock one.
EVALUATORS = ("SliceEvaluation", "Evaluator")
#: Their inputs that are judged.
_CANDIDATES = {"candidate", "model"}
#: Properties of raw examples.
_SPAN, _FILES = "span", "input_fingerprint"


@dataclass(frozen=True)
class Training:
    """What one training read; all by the numbers of artifacts.

    Attributes:
        model: that it made.
        examples: raw ones, which no other examples were made into.
        transformed: what was made of these, which the Trainer read.
        base_models: that it went on from; one at most.
    """

    model: int
    examples: frozenset[int] = frozenset()
    transformed: frozenset[int] = frozenset()
    base_models: frozenset[int] = frozenset()


def training_of(store: ml_metadata.MetadataStore, model: int) -> Training:
    """The training that made a model; of an imported one it tells nothing.

    Args:
        store: ML-Metadata.
        model: number of the model's artifact.
    """
    inputs = _inputs(store, {model}).get(model, {})
    raw: set[int] = set()
    transformed: set[int] = set()
    waiting = inputs.get(_EXAMPLES, set())
    while waiting:
        made_of = {
            number: found.get(_EXAMPLES, set()) for number, found in _inputs(store, waiting).items()
        }
        raw |= {number for number in waiting if not made_of.get(number)}
        transformed |= {number for number in waiting if made_of.get(number)}
        waiting = set().union(*made_of.values()) - transformed - raw
    bases = inputs.get(_BASE_MODEL, set())
    return Training(model, frozenset(raw), frozenset(transformed), frozenset(bases))


def trainings_behind(store: ml_metadata.MetadataStore, model: int) -> list[Training]:
    """All trainings that went into a model's weights: its own first, then those before it.

    Args:
        store: ML-Metadata.
        model: number of the model's artifact.
    """
    found: dict[int, Training] = {}
    waiting = [model]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found[number] = training_of(store, number)
            waiting += sorted(found[number].base_models)
    return list(found.values())


def trained_on(store: ml_metadata.MetadataStore, model: int) -> list[metadata_store_pb2.Artifact]:
    """The raw examples of a model's own training; those of its base model are not among them.

    Args:
        store: ML-Metadata.
        model: number of the model's artifact.
    """
    numbers = sorted(training_of(store, model).examples)
    return list(store.get_artifacts_by_id(numbers)) if numbers else []


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
            else:
                waiting.append(made.id)
    return models


def tested_on(store: ml_metadata.MetadataStore, model: int) -> list[int]:
    """Numbers of the raw examples that a model was last evaluated on as a candidate.

    Args:
        store: ML-Metadata.
        model: number of the model's artifact.
    """
    judged = {
        event.execution_id
        for event in store.get_events_by_artifact_ids([model])
        if event.type in _READ and not _CANDIDATES.isdisjoint(keys_of(event))
    }
    evaluations = [
        execution.id
        for execution in (store.get_executions_by_id(sorted(judged)) if judged else ())
        if execution.type.rpartition(".")[2] in EVALUATORS
    ]
    if not evaluations:
        return []
    return sorted(
        event.artifact_id
        for event in store.get_events_by_execution_ids([max(evaluations)])
        if event.type in _READ and _EXAMPLES in keys_of(event)
    )


def behind(store: ml_metadata.MetadataStore, artifact: int) -> set[int]:
    """Numbers of all artifacts that went into the node which made an artifact.

    Args:
        store: ML-Metadata.
        artifact: its number.
    """
    inputs = _inputs(store, {artifact}).get(artifact, {})
    return set().union(*inputs.values())


def span_of(examples: metadata_store_pb2.Artifact) -> int:
    """The span of raw examples; 0 where they have none."""
    return known_span(examples) or 0


def known_span(examples: metadata_store_pb2.Artifact) -> int | None:
    """The span of raw examples; None where nothing is said of it.

    TFX writes it as a text, or as a number; as the type's own property, or beside. Without a span
    in ``data.path`` the stock driver writes 0.
    """
    for properties in (examples.custom_properties, examples.properties):
        if _SPAN in properties:
            value = properties[_SPAN]
            return int(value.string_value or value.int_value)
    return None


def files_of(examples: metadata_store_pb2.Artifact) -> str:
    """The fingerprint of the files that raw examples were read from; empty where there is none."""
    fingerprint: str = examples.custom_properties[_FILES].string_value
    return fingerprint


def _inputs(
    store: ml_metadata.MetadataStore, artifacts: set[int]
) -> dict[int, dict[str, set[int]]]:
    """Of each artifact what went into the nodes that made it, by the names of the inputs.

    Of an execution from the cache the inputs are those of the one that it stands for.
    """
    made = [
        (event.artifact_id, event.execution_id)
        for event in (store.get_events_by_artifact_ids(sorted(artifacts)) if artifacts else ())
        if event.type in _MADE
    ]
    executions = sorted({execution for _, execution in made})
    read: dict[int, dict[str, set[int]]] = {}
    for event in store.get_events_by_execution_ids(executions) if executions else ():
        if event.type in _READ:
            of_node = read.setdefault(event.execution_id, {})
            for key in keys_of(event) or [""]:
                of_node.setdefault(key, set()).add(event.artifact_id)
    found: dict[int, dict[str, set[int]]] = {}
    for artifact, execution in made:
        for key, numbers in read.get(execution, {}).items():
            found.setdefault(artifact, {}).setdefault(key, set()).update(numbers)
    return found


def _made_of(store: ml_metadata.MetadataStore, artifact: int) -> list[metadata_store_pb2.Artifact]:
    """Examples and models that were written by nodes which were trained on an artifact, or
    transformed it.
    """
    executions = {
        event.execution_id
        for event in store.get_events_by_artifact_ids([artifact])
        if event.type in _READ and _EXAMPLES in keys_of(event)
    }
    events = store.get_events_by_execution_ids(sorted(executions)) if executions else []
    numbers = sorted({event.artifact_id for event in events if event.type in _MADE})
    found = store.get_artifacts_by_id(numbers) if numbers else []
    return [one for one in found if one.type in _KINDS]
