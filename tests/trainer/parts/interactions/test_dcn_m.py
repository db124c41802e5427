"""DCN-M against plain NumPy, one copy at a time."""

import keras
import numpy as np
import pytest

from mtlx.trainer.parts.interactions import INTERACTIONS

COPIES = 3
FIELDS = np.random.RandomState(0).randn(6, 5, 4).astype("float32")
IDS = np.zeros((6, 2), "int64")


def _kernel(layer, copy):
    return np.asarray(layer.kernel, "float64")[copy]


@pytest.mark.parametrize("rank", [None, 2])
def test_is_the_crosses_of_the_paper_and_a_linear_map(rank):
    keras.utils.set_random_seed(1)
    options = {"units": 7, "layers": 3, "rank": rank}
    module = INTERACTIONS.build("dcn_m", options, COPIES, ("user", "item"))
    module(FIELDS, IDS)
    for index, weight in enumerate(module.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.3)
    outputs = np.asarray(module(FIELDS, IDS))
    for copy in range(COPIES):
        for row in range(6):
            first = FIELDS[row].reshape(-1).astype("float64")
            current = first
            for layer in range(3):
                matrix = _kernel(module.crosses[layer], copy)
                if rank is not None:
                    matrix = _kernel(module.reductions[layer], copy) @ matrix
                bias = np.asarray(module.crosses[layer].bias)[copy]
                current = first * (current @ matrix + bias) + current
            bias = np.asarray(module.output_map.bias)[copy]
            expected = current @ _kernel(module.output_map, copy) + bias
            np.testing.assert_allclose(outputs[row, copy], expected, rtol=1e-3, atol=1e-3)


def test_a_rank_saves_weights():
    sizes = []
    for rank in (None, 2):
        module = INTERACTIONS.build("dcn_m", {"units": 7, "rank": rank}, 1, ("user", "item"))
        module(FIELDS, IDS)
        sizes.append(module.count_params())
    # Two layers: 20 by 20 or twice 20 by 2, with bias 20; then 20 by 7 with bias.
    assert sizes == [2 * 420 + 147, 2 * 100 + 147]
