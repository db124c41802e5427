import numpy as np

from mtlx.trainer.layers.attention.added_embedding import AddedEmbedding, recency


def test_recency_counts_back_from_the_last_real_position():
    mask = np.asarray([[True, True, True, False], [False] * 4, [True] * 4])
    expected = [[3, 2, 1, 0], [0, 0, 0, 0], [4, 3, 2, 1]]
    np.testing.assert_array_equal(recency(mask), expected)


def test_each_index_adds_its_own_row():
    layer = AddedEmbedding(3, 1.0)
    values = np.random.RandomState(0).randn(2, 3, 4).astype("float32")
    index = np.asarray([[0, 2, 2], [1, 0, 1]])
    outputs = np.asarray(layer(values, index))
    np.testing.assert_allclose(outputs - values, np.asarray(layer.table)[index], atol=1e-6)
    one_index_for_all = np.asarray(layer(values, index[0]))
    added = np.asarray(layer.table)[[index[0]] * 2]
    np.testing.assert_allclose(one_index_for_all - values, added, atol=1e-6)
