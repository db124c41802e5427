import numpy as np

from trainer.layers.parallel_normalized_mlp import ParallelNormalizedMLP


def test_layers_are_linear_normalised_and_rectified():
    inputs = np.random.RandomState(0).randn(5, 3).astype("float32")
    mlp = ParallelNormalizedMLP(2, [6, 4])
    mlp(inputs)
    for index, weight in enumerate(mlp.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    outputs = np.asarray(mlp(inputs))
    for copy in range(2):
        values = inputs.astype("float64")
        for layer, normalization in zip(mlp.hidden_layers, mlp.normalizations, strict=True):
            values = values @ np.asarray(layer.kernel)[copy] + np.asarray(layer.bias)[copy]
            mean, deviation = values.mean(1, keepdims=True), values.std(1, keepdims=True)
            values = (values - mean) / np.sqrt(deviation**2 + 1e-5)
            values = values * np.asarray(normalization.scale)[copy]
            values = np.maximum(values + np.asarray(normalization.shift)[copy], 0)
        np.testing.assert_allclose(outputs[:, copy], values, rtol=1e-3, atol=1e-3)
