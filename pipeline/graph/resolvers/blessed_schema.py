"""Resolver strategy: the schema of the run whose model was blessed last."""

import ml_metadata
from tfx import types
from tfx.dsl.components.common import resolver

from mtlx.components.lineage.model_lineage import behind
from mtlx.pipeline.graph.resolvers.blessed_models import blessed_models


class BlessedSchemaStrategy(resolver.ResolverStrategy):
    """The schema that a model's Trainer was given, of the latest blessed one before this data.

    Models made later than this run's statistics are left out: the run's own, where the run is
    repeated, and all others on the same data. So the same data begins with the same schema every
    time, and what follows is served from the cache.

    Inputs ``model``, ``model_blessing``, ``infra_blessing`` and ``schema`` are histories,
    ``statistics`` are those of this run's newest examples.
    """

    def resolve_artifacts(
        self, store: ml_metadata.MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the schema; an empty list where no model was blessed before."""
        now = max((found.id for found in input_dict.get("statistics", [])), default=0)
        schemas = {found.id: found for found in input_dict.get("schema", [])}
        earlier = [one.model for one in blessed_models(input_dict) if one.model.id < now]
        found = []
        for model in reversed(earlier if store is not None else []):
            # Not any model was trained here, and had a schema.
            found = [schemas[number] for number in behind(store, model.id) if number in schemas]
            if found:
                break
        return {
            "schema": found[:1],
            "statistics": input_dict.get("statistics", []),
            "model": [],
            "model_blessing": [],
            "infra_blessing": [],
        }
