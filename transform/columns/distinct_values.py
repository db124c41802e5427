"""The distinct values of a number in bounded memory, and the boundaries that cut them evenly."""

from collections.abc import Iterable

import apache_beam as beam
import numpy as np

#: Distinct values that are kept; of more, a sample of so many. Then a boundary's standard error is
#: at most a thousandth of the distinct values (√(q(1 - q) / 2^18)), and a part takes 2 MiB.
KEPT = 1 << 18

# Constants of MurmurHash3's 32-bit finaliser, which maps 32 bits to 32 bits one to one.
_FACTORS = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)


class DistinctValues:
    """Which numbers occur, however often; parts of a log can be merged in any order.

    Up to `KEPT` values are held exactly. Of more, those with the smallest hashes are (bottom-k
    sampling, Cohen and Kaplan, PODC 2007): every distinct value has the same chance to be among
    them, and what is held depends on the set of values alone, neither on the order of rows nor on
    how they were divided.
    """

    def __init__(self) -> None:
        self._hashes = np.zeros(0, np.uint32)  # Distinct and in order, with the values' bits.
        self._pending: list[np.ndarray] = []
        self._pending_size = 0

    def add(self, values: np.ndarray) -> None:
        """Takes numbers ``(n,)`` float32; what is not finite does not count."""
        finite = values[np.isfinite(values)].astype(np.float32)
        # -0.0 and 0.0 are one value.
        self._append(_hash((finite + np.float32(0.0)).view(np.uint32)))

    def merge(self, other: "DistinctValues") -> None:
        """Takes another part's numbers."""
        for hashes in (other._hashes, *other._pending):
            self._append(hashes)

    def _append(self, hashes: np.ndarray) -> None:
        if len(self._hashes) == KEPT:
            hashes = hashes[hashes < self._hashes[-1]]
        self._pending.append(np.unique(hashes))
        self._pending_size += len(self._pending[-1])
        if self._pending_size > KEPT:
            self._compact()

    def _compact(self) -> None:
        self._hashes = np.unique(np.concatenate([self._hashes, *self._pending]))[:KEPT]
        self._pending, self._pending_size = [], 0

    def values(self) -> np.ndarray:
        """The values that are held, in order, float32."""
        self._compact()
        return np.sort(_unhash(self._hashes).view(np.float32))

    def boundaries(self, buckets: int) -> np.ndarray:
        """Inner boundaries that cut the values into buckets of equally many, give or take one.

        A boundary is the least value of its upper bucket. Where there are no more values than
        buckets, each has a bucket of its own and the rest of the buckets are empty.

        Args:
            buckets: at least 2.

        Returns:
            ``(buckets - 1,)`` float32, rising; zeros where there is no value.
        """
        values = self.values()
        if not len(values):
            return np.zeros(buckets - 1, np.float32)
        return values[np.arange(1, buckets) * len(values) // buckets]


class DistinctBoundaries(beam.PTransform):
    """Batches of numbers to the boundaries of their distinct values, for TFT's analyzers.

    Takes tuples with one array of float32, gives one array ``(buckets - 1,)``.

    Args:
        buckets: see `DistinctValues.boundaries`.
    """

    def __init__(self, buckets: int) -> None:
        super().__init__()
        self._buckets = buckets

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """One global combine."""
        return batches | "Distinct" >> beam.CombineGlobally(_CombineDistinct(self._buckets))


class _CombineDistinct(beam.CombineFn):
    def __init__(self, buckets: int) -> None:
        self._buckets = buckets

    def create_accumulator(self) -> DistinctValues:
        """See `beam.CombineFn`."""
        return DistinctValues()

    def add_input(self, accumulator: DistinctValues, batch: tuple[np.ndarray]) -> DistinctValues:
        """Takes one batch."""
        accumulator.add(np.ravel(batch[0]))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[DistinctValues]) -> DistinctValues:
        """See `beam.CombineFn`."""
        merged = DistinctValues()
        for accumulator in accumulators:
            merged.merge(accumulator)
        return merged

    def extract_output(self, accumulator: DistinctValues) -> np.ndarray:
        """The boundaries."""
        return accumulator.boundaries(self._buckets)


def _hash(bits: np.ndarray) -> np.ndarray:
    """MurmurHash3's finaliser of 32-bit numbers."""
    bits = (bits ^ (bits >> np.uint32(16))) * _FACTORS[0]
    bits = (bits ^ (bits >> np.uint32(13))) * _FACTORS[1]
    return bits ^ (bits >> np.uint32(16))


def _unhash(hashes: np.ndarray) -> np.ndarray:
    """Inverse of `_hash`: shifts undone, products with the factors' inverses modulo 2^32."""
    first, second = (np.uint32(pow(int(factor), -1, 1 << 32)) for factor in _FACTORS)
    bits = (hashes ^ (hashes >> np.uint32(16))) * second
    bits = (bits ^ (bits >> np.uint32(13)) ^ (bits >> np.uint32(26))) * first
    return bits ^ (bits >> np.uint32(16))
