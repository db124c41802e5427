"""What an item is tagged with: its latent character, as far as people would put it into words."""

import numpy as np
import pyarrow as pa

#: Of each latent factor, what an item is called that has less of it, and more.
TAGS = (
    ("classic", "trendy"),
    ("light", "robust"),
    ("playful", "serious"),
    ("handmade", "technical"),
    ("compact", "roomy"),
    ("colourful", "plain"),
    ("seasonal", "everyday"),
    ("rare", "popular_style"),
)

#: Less than so much of a factor, which has about the deviation 1, is not remarked upon.
_REMARKABLE = 0.7


def item_tags(factors: np.ndarray) -> tuple[pa.ListArray, pa.ListArray]:
    """Tags and their weights, heaviest first; nothing here is drawn at random.

    An item's factors are those of its category, and in part its own: the tags tell of both, and
    hold for an item that nobody has clicked yet.

    Args:
        factors: ``(I, 8)`` of the items.

    Returns:
        Lists of text and of float64, one entry per item, equally long; empty for an item without
        a remarkable factor. A weight is the size of the factor, in hundredths.
    """
    size = np.abs(factors)
    order = np.argsort(-size, axis=1, kind="stable")  # (I, 8)
    sorted_size = np.take_along_axis(size, order, axis=1)
    has_more = np.take_along_axis(factors > 0, order, axis=1)
    kept = sorted_size >= _REMARKABLE
    offsets = pa.array(np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32))
    names = pa.array([name for pair in TAGS for name in pair])
    return (
        pa.ListArray.from_arrays(offsets, names.take(pa.array((2 * order + has_more)[kept]))),
        pa.ListArray.from_arrays(offsets, pa.array(np.round(sorted_size[kept], 2))),
    )
