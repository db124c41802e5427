"""Resolver strategy: the latest blessed model other than the candidate itself."""

from tfx import types
from tfx.dsl.components.common import resolver

from mtlx.pipeline.graph.resolvers.blessed_models import blessed_models


class PreviousBlessedModelStrategy(resolver.ResolverStrategy):
    """The stock strategy, without the candidate among the models.

    A run that is repeated finds its own candidate blessed by the first time. The stock strategy
    would then compare the candidate with itself; this one gives the same baseline as the first
    time, so that the repeated run is served from the cache.

    Inputs ``model``, ``model_blessing`` and ``infra_blessing`` are histories; ``candidate`` is this
    run's model.
    """

    def resolve_artifacts(
        self, store: object, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model and its blessing; empty lists where none is blessed yet."""
        blessed = blessed_models(input_dict)
        latest = blessed[-1] if blessed else None
        return {
            "model": [latest.model] if latest else [],
            "model_blessing": [latest.blessing] if latest else [],
            "infra_blessing": [],
            "candidate": input_dict.get("candidate", []),
        }
