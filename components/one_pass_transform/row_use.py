"""Which rows of a file train, and what they count for: drawn negatives, and the decay by age."""

import os
import zlib
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.rows.sampling import Sampling
from mtlx.transform.contract.rows.weight import DRAWN_WEIGHT, ROW_WEIGHT


@dataclass(frozen=True)
class RowUse:
    """What becomes of the rows of one file; as it stands, nothing.

    Attributes:
        decay: what a row counts for by its age.
        sampling: of negatives, or None.
        label: column of the sampled task's label.
        span: number of the file's portion of the logs, 0 where there is none.
    """

    decay: float = 1.0
    sampling: Sampling | None = None
    label: str = ""
    span: int = 0

    @classmethod
    def of(cls, contract: DataContract, split: str, span: int, newest: int) -> "RowUse":
        """Of a file of a split.

        Args:
            contract: the data contract.
            split: whose file it is; negatives are drawn in ``train`` alone.
            span: of the file.
            newest: of all that train.
        """
        decay = contract.weight.decay(newest - span) if contract.weight else 1.0
        sampling = contract.sampling if split == "train" else None
        if sampling is None or sampling.negatives == 1.0:
            return cls(decay)
        return cls(decay, sampling, contract.tasks[sampling.task].label_key, span)

    def draws(self, path: str) -> "Draws":
        """The draws of a file's rows, in their order."""
        return Draws(self, path)


class Draws:
    """Goes through a file's rows once, batch by batch.

    A row's draw follows from the seed, the span, the file's name and the row's place in the file:
    it is the same in every run, on whatever worker, and in however large batches.

    Args:
        use: of the rows.
        path: of the file.
    """

    def __init__(self, use: RowUse, path: str) -> None:
        self._use = use
        self._chance: np.random.Generator | None = None
        if use.sampling is not None:
            name = zlib.crc32(os.path.basename(path).encode())
            self._chance = np.random.default_rng([use.sampling.seed, use.span, name])

    def take(self, serialized: tf.Tensor) -> tuple[tf.Tensor, dict[str, np.ndarray]]:
        """Of the next batch the rows that are kept, and what each of them counts for.

        Args:
            serialized: ``(B,)`` raw examples.

        Returns:
            Raw examples ``(n,)``; factors ``(n,)`` float32, by the weight that they belong to.
        """
        use = self._use
        if use.sampling is None or self._chance is None:
            return serialized, {ROW_WEIGHT: np.full(len(serialized), use.decay, np.float32)}
        spec = {use.label: tf.io.FixedLenFeature([], tf.int64)}
        negative = tf.io.parse_example(serialized, spec)[use.label].numpy() == 0
        share = use.sampling.negatives
        kept = ~negative | (self._chance.random(len(negative)) < share)
        decay = np.full(int(kept.sum()), use.decay, np.float32)
        drawn = np.where(negative[kept], 1 / share, 1.0).astype(np.float32)
        # The sampled task learns from its rows as they are, where its logit is corrected.
        apart = {ROW_WEIGHT: decay, DRAWN_WEIGHT: drawn}
        factors = apart if use.sampling.corrects_logit else {ROW_WEIGHT: decay * drawn}
        return tf.boolean_mask(serialized, kept), factors
