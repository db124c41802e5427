"""Rows cut by cluster and joined: nothing is lost, and clusters stay whole."""

import numpy as np

from mtlx.components.slice_evaluation.statistics.slice_totals import SliceTotals
from mtlx.components.slice_evaluation.units.row_block import RowBlock
from tests.components.slice_evaluation.made_batches import batch


def _block(users=None, requests=None, rows=300):
    rng = np.random.default_rng(0)
    scores = rng.random((2, 1, rows)).astype(np.float32)
    scores[1, 0, 3] = np.nan
    made = batch(
        [rng.random(rows) < 0.4], scores, None, users, requests=requests, city=rng.choice(2, rows)
    )
    totals = SliceTotals(2, 1, 10)
    totals.add(made)
    return RowBlock.of_batch(made, totals)


def _sorted(block):
    return sorted(map(tuple, np.concatenate([block.scores[:, 0], block.slices]).T.tolist()))


def test_clusters_stay_whole_and_no_row_is_lost():
    users = np.random.default_rng(1).integers(1, 40, 300)
    block = _block(users)
    parts = block.split(5)
    assert len(parts) == len({number for number, _ in parts}) == 5
    whose = [set(part.clusters.tolist()) for _, part in parts]
    assert sum(map(len, whose)) == len(set(users.tolist()))
    assert _sorted(RowBlock.joined([part for _, part in parts])) == _sorted(block)


def test_without_users_a_request_is_a_cluster():
    requests = np.random.default_rng(1).integers(1, 40, 300)
    block = _block(requests=requests)
    np.testing.assert_array_equal(block.clusters, requests.astype(np.uint64))


def test_rows_of_no_cluster_are_spread_over_the_parts_alike_in_every_run():
    sizes = [[len(part.clusters) for _, part in _block().split(4)] for _ in range(2)]
    assert sizes[0] == sizes[1] and sum(sizes[0]) == 300
    assert len(sizes[0]) == 4 and min(sizes[0]) > 40


def test_a_prediction_that_is_no_number_is_some_number():
    """The whole slice is without the model's metrics then, so that its place does not matter."""
    assert _block().scores[1, 0, 3] == 0.0


def test_no_rows_are_no_parts():
    block = _block(rows=4).take(np.zeros(0, np.int64))
    assert block.split(1) == block.split(3) == []
