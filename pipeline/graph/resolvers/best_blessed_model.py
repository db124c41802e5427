"""Resolver strategy: the best of the models that were blessed last, for the gate's anchor."""

from tfx import types
from tfx.dsl.components.common import resolver

from mtlx.components.relaimp_gate.gain import GAIN_PROPERTY
from mtlx.pipeline.graph.resolvers.blessed_models import BlessedModel, blessed_models


class BestBlessedModelStrategy(resolver.ResolverStrategy):
    """Chains what the gate recorded at each push; see `mtlx.components.relaimp_gate.AnchorWindow`.

    The chain begins anew at a push of which no gain over the model before was recorded: the first
    one, one over a given model, and one after features or tasks changed, so that the models
    before it cannot be compared with those behind it. Of equally good models the oldest is taken.

    Inputs are those of `PreviousBlessedModelStrategy`.

    Args:
        last: so many blessed models are looked at.
    """

    def __init__(self, last: int):
        self._last = last

    def resolve_artifacts(
        self, store: object, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model and its blessing; empty lists where none is blessed yet."""
        window = blessed_models(input_dict)[-self._last :]
        best = _best(window) if window else None
        return {
            "model": [best.model] if best else [],
            "model_blessing": [best.blessing] if best else [],
            "infra_blessing": [],
            "candidate": input_dict.get("candidate", []),
        }


def _best(window: list[BlessedModel]) -> BlessedModel:
    """Goes back from the last one, whose level is 0."""
    best = window[-1]
    level = highest = 0.0
    for before, after in zip(window[-2::-1], window[::-1], strict=False):
        gain = _gain(before, after)
        if gain is None:
            break
        level -= gain
        if level >= highest:
            best, highest = before, level
    return best


def _gain(before: BlessedModel, after: BlessedModel) -> float | None:
    """What `after` gained over `before`, None where that was not recorded."""
    blessing = after.blessing
    if blessing.get_int_custom_property("baseline_model_id") != before.model.id:
        return None
    if not blessing.has_custom_property(GAIN_PROPERTY):
        return None
    return blessing.get_float_custom_property(GAIN_PROPERTY)
