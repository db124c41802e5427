"""The slices of an evaluation as a reader meets them: overall, then one group per cross."""

from dataclasses import dataclass

from components.slice_evaluation.results import SliceResults
from components.slice_evaluation.slices import OVERALL, SliceKey

#: A group with more slices than this is shown closed.
_OPEN_SLICES = 12


@dataclass(frozen=True)
class SliceGroup:
    """The slices of one cross.

    Attributes:
        keys: names of the features that the slices are made of; none for the overall slice.
        title: ``by domain``, ``by domain and gender``; empty for the overall slice.
        slices: names, as in `SliceResults`.
        labels: what a row of the group is called, without the repeated keys.
        hidden: how many slices of the cross are left out.
        closed: whether the group has to be opened by the reader.
    """

    keys: tuple[str, ...]
    title: str
    slices: tuple[str, ...]
    labels: dict[str, str]
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
    size: dict[str, int] = {}
    for metric in results.metrics:
        size[metric.slice] = max(size.get(metric.slice, 0), metric.examples)
    pairs = {metric.slice: metric.key for metric in results.metrics}
    by_keys: dict[tuple[str, ...], list[str]] = {}
    for name, key in pairs.items():
        by_keys.setdefault(tuple(feature for feature, _ in key), []).append(name)
    return [
        _group(keys, {name: pairs[name] for name in names}, size, max_cross_slices_shown)
        for keys, names in by_keys.items()
    ]


def _group(
    keys: tuple[str, ...], pairs: dict[str, SliceKey], size: dict[str, int], shown: int
) -> SliceGroup:
    names = list(pairs)
    closed = len(keys) > 1 or len(names) > _OPEN_SLICES
    if closed:
        names = sorted(names, key=lambda name: -size[name])
    labels = {name: ", ".join(value for _, value in pairs[name]) or OVERALL for name in names}
    title = f"by {' and '.join(keys)}" if keys else ""
    kept = tuple(names[:shown] if closed else names)
    return SliceGroup(keys, title, kept, labels, len(names) - len(kept), closed)
