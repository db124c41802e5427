"""The node that finds the model which a training begins with."""

from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_node
from tfx.dsl.components.common import resolver
from tfx.dsl.components.common.importer import Importer
from tfx.types import Channel, standard_artifacts

from mtlx.components.lineage.labels_left_out import (
    LabelUse,
    label_words,
    labels_left_out,
    learnt_labels,
)
from mtlx.components.lineage.model_lineage import (
    files_of,
    models_trained_on,
    span_of,
    trained_on,
)
from mtlx.components.log_example_gen.spans.span_marks import is_date, many_words
from mtlx.pipeline.experiment.absolute_path import absolute
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.graph.resolvers.blessed_models import BlessedModel, blessed_models
from mtlx.pipeline.graph.resolvers.spans_of_model import spans_of
from mtlx.transform.contract.data_contract import DataContract

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

    All of the run's examples train, or, with `unseen`, those of spans that neither the base model
    nor the models which it went on from were trained on; a span whose files changed since is seen.
    Where labels of a task are not known at once, spans are read again whose labels the base model
    has not learnt and are known by now; `OnePassTransform` lets these alone count.
    Without a base model, with one that has seen all, and once `every` spans have come since the
    last training from random weights, the whole window trains from such. This depends on the base
    model alone, and a run's own model is told by its newest span, so that a repeated run reads the
    same spans again.

    Inputs ``model``, ``model_blessing`` and ``infra_blessing`` are histories; ``examples`` are
    those that may train, and ``newest_examples`` those that test, where `contract` is given.

    Args:
        unseen: see above.
        every: see above; 0 for never.
        date: whether people name a span by its date.
        contract: JSON of a `DataContract` with labels that are not known at once; else empty.
    """

    def __init__(
        self, unseen: bool = False, every: int = 0, date: bool = False, contract: str = ""
    ) -> None:
        self._unseen, self._every, self._date = unseen, every, date
        self._contract = DataContract.from_json(contract) if contract else None

    def resolve_artifacts(
        self, store: Any, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model and its blessing, empty lists where none is blessed yet; and the
        ``examples`` that train.
        """
        examples = input_dict.get("examples", [])
        newest_examples = input_dict.get("newest_examples", [])
        ours = store.get_artifacts_by_id([one.id for one in examples]) if examples else []
        telling = [max(ours, key=span_of)] if ours and self._unseen else ours
        own = [models_trained_on(store, one.id) for one in telling]
        first = min(set.intersection(*own), default=None) if own else None
        found = None
        for blessed in reversed(blessed_models(input_dict)):
            if first is not None and blessed.model.id >= first:
                continue
            if _is_earlier(trained_on(store, blessed.model.id), ours):
                found = blessed
                break
        if self._unseen and ours:
            tested = store.get_artifacts_by_id([o.id for o in newest_examples])
            newest = max(map(span_of, tested), default=0)
            found, spans = self._to_go_on_from(store, found, ours, newest)
            kept = {one.id for one in ours if span_of(one) in spans}
            examples = [one for one in examples if one.id in kept]
        return {
            "model": [found.model] if found else [],
            "model_blessing": [found.blessing] if found else [],
            "infra_blessing": [],
            "examples": examples,
            **({"newest_examples": newest_examples} if newest_examples else {}),
        }

    def _to_go_on_from(
        self, store: Any, found: BlessedModel | None, ours: list[Any], newest: int
    ) -> tuple[BlessedModel | None, set[int]]:
        """The base model of an incremental training, None for random weights; and what to read."""
        window = {span_of(one) for one in ours}
        if found is None:
            return self._anew("there is no base model yet", window)
        spans = spans_of(store, found.model.id)
        since = max(window) - max(spans.from_random_weights, default=max(window))
        if self._every and since >= self._every:
            why = f"{since} spans came since that was done (warm_start.every)"
            return self._anew(why, window)
        seen = set(spans.seen)
        late = self._late(store, found, window & seen, newest)
        again = {span for some in late.values() for span in some}
        if window <= seen and not again:
            return self._anew("the base model has seen all of them", window)
        new, old = (many_words(some, self._date) for some in (window - seen, seen))
        if new:
            logging.info(
                "Trains on span %s, which the base model has not seen; it has %s", new, old
            )
        if again:
            words = label_words(late, self._date)
            logging.info("Trains again, with labels that were not known before: %s", words)
        return found, (window - seen) | again

    def _late(
        self, store: Any, found: BlessedModel, spans: set[int], newest: int
    ) -> dict[str, list[int]]:
        """By task the spans that the base model has seen without labels that are known now."""
        contract = self._contract
        if contract is None:
            return {}
        learnt = learnt_labels(store, found.model.id, contract)
        left_out = labels_left_out(contract, spans, newest, learnt)
        return LabelUse(left_out, tuple(contract.tasks)).late

    @staticmethod
    def _anew(why: str, window: set[int]) -> tuple[None, set[int]]:
        logging.info("Trains on all spans of the window, from random weights: %s", why)
        return None, window


def _is_earlier(theirs: list[Any], ours: list[Any]) -> bool:
    """Whether raw examples are of a time before others, as far as they tell."""
    latest = max((span_of(one) for one in ours), default=0)
    if latest:
        return max((span_of(one) for one in theirs), default=0) < latest
    files = {one for one in map(files_of, ours) if one}
    return not files or not files <= {files_of(one) for one in theirs}


def base_model_node(
    experiment: Experiment,
    examples: types.BaseChannel,
    newest_examples: types.BaseChannel | None = None,
) -> base_node.BaseNode | None:
    """The node that `training.warm_start` asks for.

    Args:
        experiment: the validated experiment.
        examples: what the candidate may be trained on.
        newest_examples: of the spans that test, with labels that are not known at once.

    Returns:
        Its outputs are those of `base_model_of` and `trained_examples`; None where nothing is
        asked for.
    """
    settings = experiment.training.warm_start
    if settings is None:
        return None
    kinds = standard_artifacts
    if settings.folder is not None:
        importer = Importer(source_uri=absolute(settings.folder), artifact_type=kinds.Model)
        return importer.with_id(NODE_ID)
    config: dict[str, Any] | None = None
    newest: dict[str, types.BaseChannel] = {}
    if settings.incremental:
        date = is_date(experiment.data.path)
        config = {"unseen": True, "every": settings.every or 0, "date": date}
        if newest_examples is not None:
            config["contract"] = experiment.contract.to_json()
            newest["newest_examples"] = newest_examples
    return resolver.Resolver(
        strategy_class=BaseModelStrategy,
        config=config,
        model=Channel(type=kinds.Model),
        model_blessing=Channel(type=kinds.ModelBlessing),
        infra_blessing=Channel(type=kinds.InfraBlessing),
        examples=examples,
        **newest,
    ).with_id(NODE_ID)


def base_model_of(node: base_node.BaseNode | None) -> types.BaseChannel | None:
    """The model that the node gives; None without a node."""
    if node is None:
        return None
    return node.outputs["result" if "result" in node.outputs else "model"]


def trained_examples(
    experiment: Experiment, node: base_node.BaseNode | None, examples: types.BaseChannel
) -> types.BaseChannel:
    """The examples that the candidate is trained on.

    Args:
        experiment: the validated experiment.
        node: `base_model_node`.
        examples: that it may be trained on.
    """
    settings = experiment.training.warm_start
    if node is None or settings is None or not settings.incremental:
        return examples
    return node.outputs["examples"]
