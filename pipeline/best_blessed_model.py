"""Resolver strategy: the best of the models that were blessed last, for the gate's anchor."""

from tfx import types
from tfx.dsl.components.common import resolver

from components.relaimp_gate.gain import GAIN_PROPERTY
from pipeline.blessed_models import BlessedModel, blessed_models, examples_of


class BestBlessedModelStrategy(resolver.ResolverStrategy):
    """Chains what the gate recorded at each push; see `components.relaimp_gate.AnchorWindow`.

    A push of which no gain was recorded (the first one, one after features changed, one over a
    given model) counts as no change. Of equally good models the oldest is taken, so that without
    any record the losses of the most pushes add up.

    Inputs are those of `PreviousBlessedModelStrategy`.

    Args:
        last: so many blessed models are looked at.
    """

    def __init__(self, last: int):
        self._last = last

    def resolve_artifacts(
        self, store: object, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model, its blessing and examples; empty lists where none is blessed yet."""
        window = blessed_models(input_dict)[-self._last :]
        best = _best(window) if window else None
        return {
            "model": [best.model] if best else [],
            "model_blessing": [best.blessing] if best else [],
            "examples": examples_of(store, best.model, input_dict) if best else [],
            "candidate": input_dict.get("candidate", []),
        }


def _best(window: list[BlessedModel]) -> BlessedModel:
    best, level, highest = window[0], 0.0, 0.0
    for before, after in zip(window, window[1:], strict=False):
        level += _gain(before, after)
        if level > highest:
            best, highest = after, level
    return best


def _gain(before: BlessedModel, after: BlessedModel) -> float:
    """What `after` gained over `before`, 0 where that was not recorded."""
    blessing = after.blessing
    if blessing.get_int_custom_property("baseline_model_id") != before.model.id:
        return 0.0
    if not blessing.has_custom_property(GAIN_PROPERTY):
        return 0.0
    return blessing.get_float_custom_property(GAIN_PROPERTY)
