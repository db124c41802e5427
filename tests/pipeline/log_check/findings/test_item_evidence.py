import numpy as np
import pyarrow as pa

from mtlx.pipeline.log_check.findings.item_evidence import ItemEvidence

PRIOR = 10


def test_the_log_odds_of_a_rows_items_are_added_up():
    """By hand: 4 rows are learnt on, of which one is positive; ``c`` is in none of them."""
    lists = pa.array(
        [[b"a", b"b"], [b"a"], [b"b"], [], [b"a", b"a", b"c"]], pa.large_list(pa.large_binary())
    )
    label = np.array([True, False, False, False, True])
    learnt = np.array([True, True, True, True, False])

    def odds(rows, positives):
        rate = (positives + PRIOR * 0.25) / (rows + PRIOR)
        return np.log(rate / (1 - rate)) - np.log(0.25 / 0.75)

    a, b, c = odds(2, 1), odds(2, 1), odds(0, 0)
    assert c == 0
    found = ItemEvidence(lists).of(label, learnt)
    np.testing.assert_allclose(found, [a + b, a, b, 0, 2 * a + c], atol=1e-12)


def test_lists_without_items_tell_nothing():
    lists = pa.array([[], []], pa.large_list(pa.large_binary()))
    nobody = np.zeros(2, bool)
    assert ItemEvidence(lists).of(nobody, nobody).tolist() == [0, 0]
