"""Which spans of the logs a run trained and tested on."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mtlx.components.log_example_gen.spans.span_marks import is_date

if TYPE_CHECKING:  # It takes seconds to import.
    import ml_metadata

#: The node, and its output, that tells of a run's own model.
_TRAINER, _MODEL = "Trainer", "model"
#: The node, and its output, that tells which labels counted.
_TRANSFORM, _TRANSFORMED = "Transform", "transformed_examples"
#: The node that is there with a window.
_WINDOW = "SpanWindow"


def spans_of_run(
    store: "ml_metadata.MetadataStore",
    outputs: Mapping[str, Mapping[str, Sequence[str]]],
    paths: Sequence[str],
) -> dict[str, Any] | None:
    """The spans' numbers by role, for ``run.json``.

    Args:
        store: ML-Metadata.
        outputs: URIs by node and output name, of the nodes that have run.
        paths: `data.path`, as the experiment has it.

    Returns:
        ``train`` and ``test``, numbers in ascending order, and ``days``, whether a number is that
        of a day. With a window also, where there are such: ``before``, which the models saw that
        the training went on from; and by task ``late``, spans that were read again for labels
        which had not been known, and ``unknown``, those whose labels are not known yet. None where
        the logs have no spans, or nothing was ingested.
    """
    if not any("{" in path for path in paths):
        return None
    days = {"days": is_date(paths)}
    if _WINDOW in outputs:
        return _of_window(store, outputs) | days
    # Without a window a run reads one span, whose rows are split.
    read = [uri for names in outputs.values() for uri in names.get("examples", ())]
    numbers = _numbers(store, read)
    return {"train": numbers, "test": numbers} | days if numbers else None


def _of_window(
    store: "ml_metadata.MetadataStore", outputs: Mapping[str, Mapping[str, Sequence[str]]]
) -> dict[str, Any]:
    """What the model's own training read, which may be less than the window."""
    from mtlx.components.lineage.labels_left_out import LABELS_PROPERTY, LabelUse
    from mtlx.pipeline.graph.resolvers.spans_of_model import spans_of

    (model,) = store.get_artifacts_by_uri(outputs[_TRAINER][_MODEL][0])
    spans = spans_of(store, model.id)
    found: dict[str, Any] = {"train": list(spans.train), "test": list(spans.test)}
    use = LabelUse()
    for uri in outputs.get(_TRANSFORM, {}).get(_TRANSFORMED, ()):
        for one in store.get_artifacts_by_uri(uri):
            use = LabelUse.of_text(one.custom_properties[LABELS_PROPERTY].string_value)
    more = {"before": list(spans.before), "late": use.late, "unknown": use.unknown}
    return found | {name: value for name, value in more.items() if value}


def _numbers(store: "ml_metadata.MetadataStore", uris: Sequence[str]) -> list[int]:
    """The numbers of the artifacts' spans."""
    from mtlx.components.lineage.model_lineage import known_span

    artifacts = [one for uri in uris for one in store.get_artifacts_by_uri(uri)]
    return sorted({span for span in map(known_span, artifacts) if span is not None})
