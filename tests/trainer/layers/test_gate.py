import keras
import numpy as np
import pytest

from mtlx.trainer.layers.gate import Gate, expert_groups, mix
from mtlx.trainer.layers.gate_outputs import contributions, gate_outputs

VISIBLE = np.asarray(
    [[True, False, True, False], [True, True, True, True], [False, True, False, False]]
)


def _softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("shared", [True, False])
def test_softmax_over_the_seen_experts(shared):
    keras.utils.set_random_seed(1)
    random = np.random.RandomState(0)
    inputs = random.randn(*((5, 6) if shared else (5, 3, 6))).astype("float32")
    gate = Gate(VISIBLE)
    gate.build(inputs.shape)
    gate.bias.assign(random.randn(7))
    weights = np.asarray(gate(inputs))
    kernel, bias = np.asarray(gate.kernel), np.asarray(gate.bias)
    if not shared:
        apart = gate([inputs[:, index] for index in range(3)])
        np.testing.assert_array_equal(np.asarray(apart), weights)
    start = 0
    for index, row in enumerate(VISIBLE):
        end = start + row.sum()
        own = inputs if shared else inputs[:, index]
        expected = _softmax(own @ kernel[:, start:end] + bias[start:end])
        np.testing.assert_allclose(weights[:, index][:, row], expected, rtol=1e-5, atol=1e-6)
        assert (weights[:, index][:, ~row] == 0).all()
        outputs = gate_outputs({"click": [index]}, weights, weights, VISIBLE)
        np.testing.assert_array_equal(outputs["gates/click"], weights[:, index][:, row])
        start = end
    assert end == kernel.shape[1] == 7


def test_mix_is_a_weighted_sum():
    random = np.random.RandomState(0)
    weights, experts = random.rand(4, 2, 3), random.randn(4, 3, 5)
    expected = sum(weights[:, :, e, None] * experts[:, None, e] for e in range(3))
    np.testing.assert_allclose(np.asarray(mix(weights, experts)), expected, rtol=1e-5)


def test_contributions_are_weight_times_size_as_shares():
    random = np.random.RandomState(0)
    weights, experts = random.rand(4, 2, 3), random.randn(4, 3, 5) * [[0.01], [1], [7]]
    weights[1, 0] = 0
    added = weights * np.sqrt((experts**2).mean(-1))[:, None]
    expected = added / np.maximum(added.sum(-1, keepdims=True), 1e-30)
    np.testing.assert_allclose(contributions(weights, experts), expected, rtol=1e-5)
    # An expert with the greater weight may add the lesser part.
    heavy = contributions(np.array([[[0.9, 0.1]]]), np.array([[[0.01], [1.0]]]))
    assert heavy[0, 0, 0] < 0.1


def test_refuses_a_gate_that_sees_nothing():
    with pytest.raises(ValueError, match="at least one expert"):
        Gate([[True, True], [False, False]])


@pytest.mark.parametrize("last", [True, False])
def test_gates_go_by_their_own_experts_and_the_shared_ones(last):
    group, visible = expert_groups(tasks=2, task_experts=2, shared_experts=1, last=last)
    assert group.tolist() == [0, 0, 1, 1, 2]
    gates = [[1, 1, 0, 0, 1], [0, 0, 1, 1, 1]]
    # The shared gate of a level before the last goes by all.
    assert visible.astype(int).tolist() == gates + ([] if last else [[1] * 5])
    assert visible.dtype == np.bool_
