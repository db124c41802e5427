import numpy as np

from mtlx.trainer.layers.gain import Gain


def test_every_number_of_a_vector_has_a_factor_of_its_own():
    layer = Gain(0.01)
    values = np.random.RandomState(0).randn(2, 3, 4).astype("float32")
    np.testing.assert_allclose(np.asarray(layer(values)), values * 0.01, rtol=1e-6)
    layer.factors.assign([1.0, 2.0, 0.0, -1.0])
    np.testing.assert_allclose(np.asarray(layer(values)), values * [1, 2, 0, -1], rtol=1e-6)
