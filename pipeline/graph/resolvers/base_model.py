"""The node that finds the model which a training begins with."""

from typing import Any

from tfx import types
from tfx import v1 as tfx
from tfx.dsl.components.base import base_node
from tfx.dsl.components.common import resolver

from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph.resolvers.blessed_models import blessed_models
from mtlx.pipeline.graph.resolvers.lineage import files_of, models_trained_on, span_of, trained_on

#: Its id in the graph.
NODE_ID = "BaseModel"


class BaseModelStrategy(resolver.ResolverStrategy):
    """Resolver strategy: the latest blessed model of the time before this run's examples.

    It stands before the Trainer, so that it can't be told what the run's own candidate is. A run
    that is repeated finds it blessed, and perhaps models of later days, too. So models are left out

    - that came with or after the first model which was trained on all of the run's examples: a
      repeated run begins where it began the first time, and is served from the cache;
    - that were trained on the run's latest span, or a later one: an older day, run again or late,
      does not begin with what is known of the days behind it, nor learns one day twice;
    - that were trained on the same files, where there are no spans.

    Inputs ``model``, ``model_blessing`` and ``infra_blessing`` are histories; ``examples`` are
    those that this run's model is trained on.
    """

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model and its blessing; empty lists where none is blessed yet."""
        examples = input_dict.get("examples", [])
        own = [models_trained_on(store, found.id) for found in examples]
        first = min(set.intersection(*own), default=None) if own else None
        ours = store.get_artifacts_by_id([one.id for one in examples]) if examples else []
        found = None
        for blessed in reversed(blessed_models(input_dict)):
            if first is not None and blessed.model.id >= first:
                continue
            if _is_earlier(trained_on(store, blessed.model.id), ours):
                found = blessed
                break
        return {
            "model": [found.model] if found else [],
            "model_blessing": [found.blessing] if found else [],
            "infra_blessing": [],
            "examples": examples,
        }


def _is_earlier(theirs: list[Any], ours: list[Any]) -> bool:
    """Whether raw examples are of a time before others, as far as they tell."""
    latest = max((span_of(one) for one in ours), default=0)
    if latest:
        return max((span_of(one) for one in theirs), default=0) < latest
    files = {one for one in map(files_of, ours) if one}
    return not files or not files <= {files_of(one) for one in theirs}


def base_model_node(
    experiment: Experiment, examples: types.BaseChannel
) -> base_node.BaseNode | None:
    """The node that `training.warm_start` asks for.

    Args:
        experiment: the validated experiment.
        examples: what the candidate is trained on.

    Returns:
        Its output is `base_model_of`'s; None where nothing is asked for.
    """
    settings = experiment.training.warm_start
    if settings is None:
        return None
    kinds = tfx.types.standard_artifacts
    if settings.folder is not None:
        importer = tfx.dsl.Importer(source_uri=absolute(settings.folder), artifact_type=kinds.Model)
        return importer.with_id(NODE_ID)
    return tfx.dsl.Resolver(
        strategy_class=BaseModelStrategy,
        model=tfx.dsl.Channel(type=kinds.Model),
        model_blessing=tfx.dsl.Channel(type=kinds.ModelBlessing),
        infra_blessing=tfx.dsl.Channel(type=kinds.InfraBlessing),
        examples=examples,
    ).with_id(NODE_ID)


def base_model_of(node: base_node.BaseNode | None) -> types.BaseChannel | None:
    """The model that the node gives; None without a node."""
    if node is None:
        return None
    return node.outputs["result" if "result" in node.outputs else "model"]
