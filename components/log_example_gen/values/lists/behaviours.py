"""Sequences as lists of texts, and those that are beside each other kept in step."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Items:
    """A sequence column, taken apart.

    Attributes:
        text: ``(n,)`` the items of all rows, null where one is missing.
        present: ``(n,)`` bool, the others.
        offsets: ``(rows + 1,)`` int64, where each row's items begin.
    """

    text: pa.Array
    present: np.ndarray
    offsets: np.ndarray

    def lists(self) -> pa.Array:
        """The items that are present, as lists."""
        text = self.text if self.present.all() else self.text.filter(pa.array(self.present))
        return pa.LargeListArray.from_arrays(_offsets(self.offsets, self.present), text)


def unequal(parts: list[Items]) -> np.ndarray:
    """Rows ``(rows,)`` whose lists differ in length; but for rows without any value."""
    differ = np.any([np.diff(part.offsets) != np.diff(parts[0].offsets) for part in parts], axis=0)
    held = np.any([np.diff(_counts(part.offsets, part.present)) > 0 for part in parts], axis=0)
    return differ & held


def aligned(parts: list[Items]) -> list[pa.Array]:
    """The values of behaviours as lists of equal length, one array for each of `parts`.

    A missing value is an empty text where another of the same behaviour is there; a behaviour
    without any is left out. Rows whose lists differ in length come out empty.
    """
    lengths = [np.diff(part.offsets) for part in parts]
    same = np.all([length == lengths[0] for length in lengths], axis=0)
    texts, held = [], []
    for part, length in zip(parts, lengths, strict=True):
        kept = np.repeat(same, length)
        texts.append(part.text.filter(pa.array(kept)).fill_null(""))
        held.append(part.present[kept])
    offsets = np.concatenate([[0], np.cumsum(np.where(same, lengths[0], 0))])
    some = np.any(held, axis=0)
    texts = [
        pa.compute.if_else(pa.array(present), text, pa.scalar("", text.type)).filter(pa.array(some))
        for text, present in zip(texts, held, strict=True)
    ]
    return [pa.LargeListArray.from_arrays(_offsets(offsets, some), text) for text in texts]


def _offsets(offsets: np.ndarray, kept: np.ndarray) -> pa.Array:
    return pa.array(_counts(offsets, kept), pa.int64())


def _counts(offsets: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Where each row's items begin among those that are kept."""
    return np.concatenate([[0], np.cumsum(kept)])[offsets]
