"""AITM against its equations in NumPy, on a tree of tasks with inputs of their own."""

import keras
import numpy as np
import pytest

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

TREE = (
    TaskSpec("click", "click"),
    TaskSpec("like", "like"),
    TaskSpec("cart", "cart", "click"),
    TaskSpec("share", "share", "like"),
    TaskSpec("buy", "buy", "cart"),
)
RANDOM = np.random.RandomState(0)
SHARED = RANDOM.randn(6, 4, 3).astype("float32")
OWN = RANDOM.randn(6, len(TREE), 4, 3).astype("float32")


def _build(fields, tasks=TREE, **options):
    keras.utils.set_random_seed(1)
    inputs = ModelInputs((CategoricalInput("item", 9),), (), (), "item", ("all",), tasks)
    network = NETWORKS.build("aitm", {"tower_hidden": [6, 5], **options}, inputs)
    arguments = (fields, np.ones((6, 3), "int64"), np.zeros(6, "int64"))
    network(*arguments)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.5)
    return network, np.asarray(network(*arguments)["logits"])


def _dense(layer, inputs, copy):
    outputs = inputs @ np.asarray(layer.kernel, "float64")[copy]
    return outputs if layer.bias is None else outputs + np.asarray(layer.bias)[copy]


def _mlp(mlp, inputs, copy):
    for layer in mlp.hidden_layers:
        inputs = np.maximum(_dense(layer, inputs, copy), 0)
    return inputs


@pytest.mark.parametrize("shared_attention", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_information_goes_along_the_tree(shared_attention, own):
    network, logits = _build(OWN if own else SHARED, shared_attention=shared_attention)
    place = {task.name: index for index, task in enumerate(TREE)}
    levels = [["click", "like"], ["cart", "share"], ["buy"]]
    for row in range(6):
        states = {}
        for depth, level in enumerate(levels):
            for copy, name in enumerate(level):
                task = TREE[place[name]]
                x = (OWN[row, place[name]] if own else SHARED[row]).reshape(-1)
                state = q = _mlp(network.towers, x.astype("float64"), place[name])
                if task.after is not None:
                    p = _mlp(network.information[depth - 1], states[task.after], copy)
                    unit = network.attention[0 if shared_attention else depth - 1]
                    copy = 0 if shared_attention else copy
                    scores = [
                        _dense(unit.query, u, copy) @ _dense(unit.key, u, copy) / np.sqrt(5)
                        for u in (p, q)
                    ]
                    weights = np.exp(scores) / np.exp(scores).sum()
                    values = [_dense(unit.value, u, copy) for u in (p, q)]
                    state = weights[0] * values[0] + weights[1] * values[1]
                states[name] = state
                expected = _dense(network.output_layer, state, place[name])[0]
                np.testing.assert_allclose(logits[row, place[name]], expected, atol=1e-4)
    assert all(unit.value.bias is None for unit in network.attention)


def test_tasks_without_order_only_have_towers():
    network, logits = _build(SHARED, (TREE[0], TREE[1]), shared_attention=True)
    assert not network.attention and not network.information and logits.shape == (6, 2)


def test_shared_attention_saves_weights_only_where_there_are_several_steps():
    def count(tasks, shared):
        return _build(SHARED, tasks, shared_attention=shared)[0].count_params()

    pair, tree = (TREE[0], TREE[2]), TREE
    assert count(pair, True) == count(pair, False)
    assert count(tree, False) - count(tree, True) == 2 * 3 * 5 * 5  # three steps, one unit


def test_the_default_losses_are_the_cross_entropy_and_the_calibrator():
    names = [term["name"] for term in NETWORKS.get("aitm").default_losses]
    assert names == ["binary_cross_entropy", "behavioural_expectation_calibrator"]
