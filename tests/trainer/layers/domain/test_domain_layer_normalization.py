import numpy as np

from mtlx.trainer.layers.domain.domain_layer_normalization import DomainLayerNormalization

DOMAINS = np.asarray([1, 0, 1])


def test_scales_by_the_rows_own_domain():
    inputs = np.random.RandomState(0).randn(3, 2, 4).astype("float32")
    layer = DomainLayerNormalization(2)
    layer(inputs, DOMAINS)
    layer.scale.assign(np.random.RandomState(1).randn(2, 2, 4))
    layer.shift.assign(np.random.RandomState(2).randn(2, 2, 4))
    outputs = np.asarray(layer(inputs, DOMAINS))
    for row, domain in enumerate(DOMAINS):
        for copy in range(2):
            values = inputs[row, copy].astype("float64")
            normal = (values - values.mean()) / np.sqrt(values.var() + 1e-5)
            scale, shift = np.asarray(layer.scale), np.asarray(layer.shift)
            expected = normal * scale[domain, copy] + shift[domain, copy]
            np.testing.assert_allclose(outputs[row, copy], expected, rtol=1e-4, atol=1e-5)


def test_float16_does_not_overflow():
    inputs = np.random.RandomState(0).randn(3, 2, 4).astype("float16") * 1000
    layer = DomainLayerNormalization(2)
    assert np.isfinite(np.asarray(layer(inputs, DOMAINS))).all()
