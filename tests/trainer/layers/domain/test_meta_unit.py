import numpy as np

from mtlx.trainer.layers.domain.meta_unit import MetaUnit

DOMAINS = np.asarray([2, 0, 1, 2])
INPUTS = np.random.RandomState(0).randn(4, 2, 3, 5).astype("float32")
KNOWLEDGE = np.random.RandomState(1).randn(3, 6).astype("float32")


def test_generates_the_weights_of_the_rows_own_domain():
    unit = MetaUnit(2, 4)
    unit(INPUTS, KNOWLEDGE, DOMAINS)
    for index, weight in enumerate(unit.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    outputs = np.asarray(unit(INPUTS, KNOWLEDGE, DOMAINS))
    kernel, bias = np.asarray(unit.kernel), np.asarray(unit.bias)
    generator, bias_generator = np.asarray(unit.kernel_generator), np.asarray(unit.bias_generator)
    for row, domain in enumerate(DOMAINS):
        for copy in range(2):
            own_kernel, own_bias = kernel[copy].copy(), bias[copy].copy()
            for place, value in enumerate(KNOWLEDGE[domain]):
                own_kernel += value * generator[place, copy]
                own_bias += value * bias_generator[place, copy]
            for place in range(3):
                expected = np.maximum(INPUTS[row, copy, place] @ own_kernel + own_bias, 0)
                np.testing.assert_allclose(
                    outputs[row, copy, place], expected, rtol=1e-3, atol=1e-3
                )


def test_what_stands_behind_the_inputs_of_a_unit_is_multiplied_apart():
    unit = MetaUnit(2, 4)
    same, behind = INPUTS[:, :1], np.random.RandomState(2).randn(2, 3).astype("float32")
    found = np.asarray(unit(same, KNOWLEDGE, DOMAINS, of_copies=behind))
    shape = (4, 2, 3)
    wide = np.broadcast_to(same, (*shape, 5)), np.broadcast_to(behind[:, None], (*shape, 3))
    expected = np.asarray(unit(np.concatenate(wide, axis=-1), KNOWLEDGE, DOMAINS))
    assert expected.shape == (4, 2, 3, 4) and expected.max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
