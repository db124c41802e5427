"""What comparing encoders are for: whether the target is among the behaviours, and how soon."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.planted_sequences import TARGET_IN_SEQUENCE, Learning
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS

#: Every encoder that compares behaviours with the target.
COMPARING = [name for name in SEQUENCE_ENCODERS if SEQUENCE_ENCODERS.get(name).needs_target]
EPOCHS = 5
#: Labels that nearly always follow the rule show it in a quarter of the rows.
PLANTED = dataclasses.replace(TARGET_IN_SEQUENCE, rows=10_000, likely=0.95)


@pytest.fixture(scope="module")
def part_of_the_way():
    """AUC at a share of the way from mean pooling's AUC to the best possible one."""
    pooled = Learning(PLANTED, "mean_pooling")
    reached = max(pooled.epoch()[0] for _ in range(EPOCHS))
    return lambda share: reached + share * (pooled.best()[0] - reached)


@pytest.mark.parametrize("name", COMPARING)
def test_finds_the_target_among_the_behaviours(name, part_of_the_way):
    """Most of the way with one seed; or four fifths as the mean of two, either of which goes at
    least two thirds: threads add up in another order each time, and the slowest encoder, BST, ends
    within 0.005.

    The variants of TIM: `test_tim.py`, on two sequences.
    """
    learning, best = Learning(PLANTED, name), []
    for seed in (1, 2):
        learning.start_again(seed)
        aucs = [0.0]
        while len(aucs) <= EPOCHS and max(aucs) < part_of_the_way(0.85):
            aucs.append(learning.epoch()[0])
        best.append(max(aucs))
        if best[-1] >= part_of_the_way(0.85):
            break
    assert np.mean(best) > part_of_the_way(0.8) and min(best) > part_of_the_way(2 / 3), best


@pytest.mark.parametrize("name", COMPARING)
@pytest.mark.parametrize("scale", [0.01, 0.25])
def test_another_target_gives_another_interest_at_the_start(reference, name, scale):
    """Whatever size the embeddings have when training starts."""
    keras.utils.set_random_seed(1)
    encoder = SEQUENCE_ENCODERS.build(name, {}, reference.inputs)
    random = np.random.RandomState(0)
    masks = {n: np.ones(shape, bool) for n, shape in (("clicks", (64, 4)), ("buys", (64, 3)))}
    values = {
        n: tf.constant(scale * random.randn(*mask.shape, 16), tf.float32)
        for n, mask in masks.items()
    }
    one, other = (tf.constant(scale * random.randn(64, 16), tf.float32) for _ in range(2))
    first, second = (np.asarray(encoder(values, masks, target)) for target in (one, other))
    change = np.sqrt(np.mean((first - second) ** 2) / np.mean(first**2))
    assert change > 0.05, change
