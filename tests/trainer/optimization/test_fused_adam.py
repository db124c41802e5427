import keras
import numpy as np

from mtlx.trainer.optimization.fused_adam import FusedAdam


def test_takes_the_steps_of_keras_s_adam():
    random = np.random.default_rng(0)
    start, steps = random.normal(size=(4, 3)), random.normal(size=(5, 4, 3))
    ends = []
    for kind in (FusedAdam, keras.optimizers.Adam):
        optimizer = kind(learning_rate=0.01, beta_1=0.8, weight_decay=0.1)
        weight = keras.Variable(start.astype("float32"))
        for gradient in steps:
            optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [weight])
        moments = optimizer.variables[2:]
        ends.append([np.asarray(value) for value in (weight, *moments)])
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert np.abs(ends[0][0] - start).min() > 1e-3
