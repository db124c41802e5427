"""Tags say what an item's latent factors are, in order of their size."""

import numpy as np

from mtlx.pipeline.simulation.item_tags import TAGS, item_tags


def test_a_tag_is_the_sign_of_a_factor_and_its_weight_the_size():
    factors = np.zeros((3, 8))
    factors[0, [1, 4, 6]] = -0.9, 2.004, 0.69  # the last is not remarkable
    factors[2, 0] = 0.7
    tags, weights = (lists.to_pylist() for lists in item_tags(factors))
    assert tags == [["roomy", "light"], [], ["trendy"]]
    assert weights == [[2.0, 0.9], [], [0.7]]


def test_every_side_of_every_factor_has_a_name_of_its_own():
    factors = np.concatenate([-np.eye(8), np.eye(8)])
    tags, _ = item_tags(factors)
    assert tags.to_pylist() == [[low] for low, _ in TAGS] + [[high] for _, high in TAGS]
    assert len({name for pair in TAGS for name in pair}) == 16


def test_tags_tell_more_of_the_factors_than_the_category_does(default_log, read_log):
    log = read_log(default_log).drop_duplicates("item_id")
    assert (log.tags.map(len) == log.tag_weights.map(len)).all()
    assert 2 < log.tags.map(len).mean() < 5
    assert log.groupby("category").tags.agg(lambda lists: len({*map(tuple, lists)})).min() > 5
    assert all((np.diff(weights) <= 0).all() for weights in log.tag_weights)
