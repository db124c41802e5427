"""The moving average of weights against its recursion, and what it is used for."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.optimization.weight_average import WeightAverage


class Counting(keras.Model):
    """A weight, a moving statistic that is not trained, and a seed."""

    def __init__(self):
        super().__init__()
        self.weight = self.add_weight(shape=(3,), initializer="zeros", name="weight")
        self.statistic = self.add_weight(shape=(), trainable=False, name="statistic")
        self.dropout = keras.layers.Dropout(0.5)


@pytest.mark.parametrize("momentum", [0.4, 0.95])
def test_follows_the_recursion(momentum):
    model = Counting()
    model.weight.assign([1.0, 2.0, 3.0])
    average = WeightAverage(model, momentum)
    update = tf.function(average.update)
    expected, statistic = np.array([1.0, 2.0, 3.0]), float(model.statistic)
    random = np.random.default_rng(0)
    for step in range(1, 30):
        new = random.normal(size=4)
        model.weight.assign(new[:3])
        model.statistic.assign(new[3])
        update()
        kept = min(momentum, step / (step + 9))
        expected = kept * expected + (1 - kept) * new[:3]
        statistic = kept * statistic + (1 - kept) * new[3]
    with average.in_place():
        np.testing.assert_allclose(np.array(model.weight), expected, rtol=1e-5)
        assert float(model.statistic) == pytest.approx(statistic, rel=1e-5)
    np.testing.assert_array_equal(np.array(model.weight), new[:3].astype("float32"))
    # The count, the weight and the statistic; what is no float has no average.
    assert [tuple(v.shape) for v in average.variables] == [(), (3,), ()]


def test_weights_come_back_after_an_error():
    model = Counting()
    average = WeightAverage(model, 0.9)
    model.weight.assign([1.0, 1.0, 1.0])
    with pytest.raises(KeyError), average.in_place():
        assert float(model.weight[0]) == 0
        raise KeyError
    assert float(model.weight[0]) == 1


def test_a_restarted_average_knows_nothing_of_before():
    model = Counting()
    average = WeightAverage(model, 0.9)
    for _ in range(50):
        average.update()
    model.weight.assign([2.0, 2.0, 2.0])
    average.restart()
    model.weight.assign([3.0, 3.0, 3.0])
    average.update()
    with average.in_place():
        np.testing.assert_allclose(np.array(model.weight), 0.1 * 2 + 0.9 * 3, rtol=1e-6)
