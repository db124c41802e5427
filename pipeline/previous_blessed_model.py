"""Resolver strategy: the latest blessed model other than the candidate itself."""

from tfx import types
from tfx.dsl.components.common import resolver
from tfx.types import standard_artifacts


class PreviousBlessedModelStrategy(resolver.ResolverStrategy):
    """The stock strategy, without the candidate among the models.

    A run that is repeated finds its own candidate blessed by the first time. The stock strategy
    would then compare the candidate with itself; this one gives the same baseline as the first
    time, so that the repeated run is served from the cache.

    Inputs ``model`` and ``model_blessing`` are histories; ``candidate`` is this run's model.
    """

    def resolve_artifacts(
        self, store: object, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model and its blessing, or empty lists where none is blessed yet."""
        del store  # The histories are in the inputs.
        candidates = {model.id for model in input_dict.get("candidate", [])}
        blessings = {
            blessing.get_int_custom_property("current_model_id"): blessing
            for blessing in input_dict.get("model_blessing", [])
            if blessing.get_int_custom_property("blessed") == 1
        }
        blessed = [
            model
            for model in input_dict.get("model", [])
            if isinstance(model, standard_artifacts.Model)
            and model.id in blessings
            and model.id not in candidates
        ]
        latest = max(blessed, key=lambda model: model.id, default=None)
        return {
            "model": [latest] if latest else [],
            "model_blessing": [blessings[latest.id]] if latest else [],
            "candidate": input_dict.get("candidate", []),
        }
