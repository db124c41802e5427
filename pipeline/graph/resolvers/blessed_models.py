"""Models that were blessed before."""

from dataclasses import dataclass

from tfx import types
from tfx.components.evaluator import constants
from tfx.types import standard_artifacts

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
