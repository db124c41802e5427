"""The slices of an evaluation as a reader meets them: overall, then one group per cross."""

from dataclasses import dataclass

from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.components.slice_evaluation.slices import OVERALL, SliceKey, quoted

#: A group with more slices than this is shown closed.
_OPEN_SLICES = 12


@dataclass(frozen=True)
class SliceGroup:
    """The slices of one cross.

    Attributes:
        features: that the slices are made of, as shown; none for the overall slice.
        title: ``by domain``, ``by domain and gender``; empty for the overall slice.
        slices: in the order that they are shown in.
        labels: by slice, what a row of the group is called, without the repeated keys.
        hidden: how many slices of the cross are left out.
        closed: whether the group has to be opened by the reader.
    """

    features: tuple[str, ...]
    title: str
    slices: tuple[SliceKey, ...]
    labels: dict[SliceKey, str]
    hidden: int
    closed: bool


def slice_groups(results: SliceResults, max_cross_slices_shown: int) -> list[SliceGroup]:
    """Groups the slices.

    Slices of one feature keep their order; those of a cross, and of a feature with many values,
    stand by their number of rows, the largest first.

    Args:
        results: of the slice evaluation.
        max_cross_slices_shown: per group, once it is sorted by size.
    """
    size: dict[SliceKey, int] = {}
    for metric in results.metrics:
        size[metric.key] = max(size.get(metric.key, 0), metric.examples)
    by_features: dict[tuple[str, ...], list[SliceKey]] = {}
    for key in size:
        by_features.setdefault(tuple(feature for feature, _ in key), []).append(key)
    return [
        _group(features, slices, size, max_cross_slices_shown)
        for features, slices in by_features.items()
    ]


def _group(
    features: tuple[str, ...], slices: list[SliceKey], size: dict[SliceKey, int], shown: int
) -> SliceGroup:
    closed = len(features) > 1 or len(slices) > _OPEN_SLICES
    if closed:
        slices = sorted(slices, key=lambda key: -size[key])
    labels = {key: ", ".join(quoted(value) for _, value in key) or OVERALL for key in slices}
    title = f"by {' and '.join(features)}" if features else ""
    kept = tuple(slices[:shown] if closed else slices)
    return SliceGroup(features, title, kept, labels, len(slices) - len(kept), closed)
