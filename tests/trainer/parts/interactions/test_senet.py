"""SENet against plain NumPy, field by field."""

import keras
import numpy as np
import pytest

from mtlx.trainer.parts.interactions import INTERACTIONS

COPIES, COUNT, SIZE = 2, 5, 4
FIELDS = np.random.RandomState(0).randn(6, COUNT, SIZE).astype("float32")
IDS = np.zeros((6, 2), "int64")


@pytest.mark.parametrize("keep_fields", [True, False])
@pytest.mark.parametrize(("reduction", "hidden"), [(3, 2), (1, 5), (9, 1)])
def test_weighs_fields(reduction, hidden, keep_fields):
    keras.utils.set_random_seed(1)
    options = {"units": 7, "reduction": reduction, "keep_fields": keep_fields}
    module = INTERACTIONS.build("senet", options, COPIES, ("user", "item"))
    module(FIELDS, IDS)
    for index, weight in enumerate(module.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    outputs = np.asarray(module(FIELDS, IDS))
    assert module.squeeze_map.kernel.shape == (COPIES, COUNT, hidden)
    weighed_somewhere = False
    for copy in range(COPIES):
        squeeze, excite, out = (
            np.asarray(layer.kernel, "float64")[copy]
            for layer in (module.squeeze_map, module.excitation_map, module.output_map)
        )
        for row in range(6):
            means = np.asarray([FIELDS[row, field].mean() for field in range(COUNT)])
            weights = np.maximum(np.maximum(means @ squeeze, 0) @ excite, 0)
            weighed_somewhere |= bool(weights.any())
            weighed = np.concatenate([weights[f] * FIELDS[row, f] for f in range(COUNT)])
            expected = weighed @ out + np.asarray(module.output_map.bias)[copy]
            if keep_fields:
                expected += FIELDS[row].reshape(-1) @ np.asarray(module.base_map.kernel)[copy]
            np.testing.assert_allclose(outputs[row, copy], expected, rtol=1e-4, atol=1e-4)
    assert weighed_somewhere
