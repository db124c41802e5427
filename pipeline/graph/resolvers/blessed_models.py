"""Models that were blessed before, and the examples that they have seen."""

from dataclasses import dataclass

import ml_metadata
from tfx import types
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

from mtlx.components.lineage.model_lineage import tested_on, trainings_behind
from mtlx.components.relaimp_gate.executor import NEEDS_SERVING_CHECK
from mtlx.components.serving_check.infra_blessing import infra_blessed_models

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
    """The raw examples that a model has seen, empty where they are not known.

    They are what an ExampleGen wrote, of a window one artifact per span: those that the model
    itself was trained on, and those of the models that it went on from. Without a window the
    model was tested on a split of its own.

    Args:
        store: ML-Metadata; None where there is none.
        model: the model.
        input_dict: ``examples`` is the history to choose from.
    """
    by_id = {found.id: found for found in input_dict.get("examples", [])}
    trainings = trainings_behind(store, model.id) if store is not None else []
    seen = set().union(*(training.examples for training in trainings))
    return [by_id[number] for number in sorted(seen) if number in by_id]


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
