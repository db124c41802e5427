"""Models that were blessed before, and the examples that they were trained on."""

from dataclasses import dataclass

import ml_metadata
from ml_metadata.proto import metadata_store_pb2
from tfx import types
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from mtlx.components.relaimp_gate.executor import NEEDS_SERVING_CHECK
from mtlx.components.serving_check.infra_blessing import infra_blessed_models

_INPUTS = (metadata_store_pb2.Event.INPUT, metadata_store_pb2.Event.INTERNAL_INPUT)
_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)

#: Nodes that evaluate, ours and the stock one, and their inputs that are judged.
_EVALUATORS, _CANDIDATES = ("SliceEvaluation", "Evaluator"), ("candidate", "model")

ResolverInputs = dict[str, list[types.Artifact]]


@dataclass(frozen=True)
class BlessedModel:
    """A model that the gate and the serving check let through.

    Attributes:
        model: the artifact.
        blessing: its latest one, of the gate.
    """

    model: types.Artifact
    blessing: types.Artifact


def blessed_models(input_dict: ResolverInputs) -> list[BlessedModel]:
    """Lists the blessed models but for the candidate, the oldest first.

    A model that passed the gate but cannot be served was never pushed, and is nobody's baseline;
    neither is one whose run ended between gate and serving check.

    Args:
        input_dict: ``model``, ``model_blessing`` and ``infra_blessing`` are histories,
            ``candidate`` is left out. Without ``infra_blessing`` the gate decides alone.
    """
    candidates = {model.id for model in input_dict.get("candidate", [])}
    blessings = {
        blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY): blessing
        for blessing in input_dict.get("model_blessing", [])
        if blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY)
        == constants.BLESSED_VALUE
    }
    history = input_dict.get("infra_blessing")
    served = None if history is None else infra_blessed_models(history)
    blessed = [
        BlessedModel(model, blessings[model.id])
        for model in input_dict.get("model", [])
        if isinstance(model, standard_artifacts.Model)
        and model.id in blessings
        and model.id not in candidates
        and _can_be_served(model, blessings[model.id], served)
    ]
    return sorted(blessed, key=lambda found: found.model.id)


def _can_be_served(
    model: types.Artifact, blessing: types.Artifact, served: dict[int, bool] | None
) -> bool:
    """Whether the serving check lets a model through that passed the gate.

    A model of before there were such checks, or of an experiment without one, has none to pass.
    """
    if served is None:
        return True
    needed = blessing.get_int_custom_property(NEEDS_SERVING_CHECK) == 1
    return served.get(model.id, not needed)


def examples_of(
    store: ml_metadata.MetadataStore, model: types.Artifact, input_dict: ResolverInputs
) -> list[types.Artifact]:
    """The raw examples that a model was trained on, empty where they are not known.

    They are what an ExampleGen wrote: the examples before the model that nothing else went into;
    of a window one artifact per span. Without a window the model was tested on a split of them.

    Args:
        store: ML-Metadata; None where there is none.
        model: the model.
        input_dict: ``examples`` is the history to choose from.
    """
    by_id = {found.id: found for found in input_dict.get("examples", [])}
    seen: set[int] = set()
    waiting = {model.id} if store is not None else set()
    while waiting:
        seen |= waiting
        before = {number: behind(store, number) for number in waiting}
        sources = [number for number, found in before.items() if not found and number in by_id]
        if sources:
            return [by_id[number] for number in sorted(sources)]
        waiting = set().union(*before.values()) - seen
    return []


def found_examples(
    store: ml_metadata.MetadataStore, model: types.Artifact | None, input_dict: ResolverInputs
) -> ResolverInputs:
    """What a resolver gives of a model's examples.

    Args:
        store: ML-Metadata; None where there is none.
        model: the model that was found; None where none was.
        input_dict: ``examples`` is a history and, with a window, ``test_examples`` the same.

    Returns:
        ``examples``, see `examples_of`; and ``test_examples``, those that the model was tested on
        as a whole, where there is such an input.
    """
    found = {"examples": examples_of(store, model, input_dict) if model else []}
    if "test_examples" in input_dict:
        tested = tested_on(store, model.id) if model and store is not None else []
        by_id = {one.id: one for one in input_dict["test_examples"]}
        found["test_examples"] = [by_id[number] for number in tested if number in by_id]
    return found


def tested_on(store: ml_metadata.MetadataStore, model: int) -> list[int]:
    """Ids of the raw examples that a model was last evaluated on as a candidate.

    Args:
        store: ML-Metadata.
        model: id of the model.
    """
    judged = {
        event.execution_id
        for event in store.get_events_by_artifact_ids([model])
        if event.type in _INPUTS and _key(event) in _CANDIDATES
    }
    evaluations = [
        execution.id
        for execution in (store.get_executions_by_id(sorted(judged)) if judged else ())
        if execution.type.rpartition(".")[2] in _EVALUATORS
    ]
    if not evaluations:
        return []
    return sorted(
        event.artifact_id
        for event in store.get_events_by_execution_ids([max(evaluations)])
        if event.type in _INPUTS and _key(event) == "examples"
    )


def _key(event: metadata_store_pb2.Event) -> str:
    return event.path.steps[0].key if event.path.steps else ""


def behind(store: ml_metadata.MetadataStore, artifact: int) -> set[int]:
    """Ids of the artifacts that went into the making of an artifact."""
    made_by = {
        event.execution_id
        for event in store.get_events_by_artifact_ids([artifact])
        if event.type in _OUTPUTS
    }
    events = store.get_events_by_execution_ids(sorted(made_by)) if made_by else []
    return {event.artifact_id for event in events if event.type in _INPUTS}
