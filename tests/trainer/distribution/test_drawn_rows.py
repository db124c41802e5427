"""Rows that are drawn block by block are those of the table that is drawn as one."""

import keras
import numpy as np
import pytest

from mtlx.trainer.distribution import drawn_rows
from mtlx.trainer.distribution.share import Share


@pytest.mark.parametrize("shape", [(203, 3), (64, 16)])
def test_shares_are_those_of_the_whole_table(shape, monkeypatch):
    monkeypatch.setattr(drawn_rows, "BLOCK_BYTES", 4 * 100)
    initializer = keras.initializers.RandomNormal(mean=0.5, stddev=0.01, seed=7)
    whole = np.asarray(initializer(shape))
    for share in (Share(0, 1), *(Share(index, 3) for index in range(3))):
        blocks = list(drawn_rows.drawn_rows(initializer, shape, share))
        assert len(blocks) > 3
        rows = np.concatenate([np.asarray(block) for _, block in blocks])
        ends = np.cumsum([len(block) for _, block in blocks])
        assert [first for first, _ in blocks] == [0, *ends[:-1]]
        assert len(rows) == share.size(shape[0])
        np.testing.assert_array_equal(rows, whole[share.index :: share.count])
