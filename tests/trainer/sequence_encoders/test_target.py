"""What comparing encoders are for: whether the target is among the behaviours, and how soon."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.planted_sequences import TARGET_IN_SEQUENCE, Learning
from trainer.sequence_encoders import SEQUENCE_ENCODERS

#: Every encoder that compares behaviours with the target.
COMPARING = [name for name in SEQUENCE_ENCODERS if SEQUENCE_ENCODERS.get(name).needs_target]
EPOCHS = 5


@pytest.fixture(scope="module")
def enough():
    """Four fifths of the way from mean pooling's AUC to the best possible one."""
    pooled = Learning(TARGET_IN_SEQUENCE, "mean_pooling")
    reached = max(pooled.epoch()[0] for _ in range(EPOCHS))
    return reached + 0.8 * (pooled.best()[0] - reached)


@pytest.mark.parametrize("name", COMPARING)
@pytest.mark.parametrize("seed", [1, 2])
def test_finds_the_target_among_the_behaviours(name, seed, enough):
    """The variants of TIM: `test_tim.py`, on two sequences."""
    learning, aucs = Learning(TARGET_IN_SEQUENCE, name, seed=seed), []
    while len(aucs) < EPOCHS and max(aucs, default=0.0) < enough:
        aucs.append(learning.epoch()[0])
    assert max(aucs) > enough, aucs


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
