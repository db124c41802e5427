"""Small heads against NumPy, and that nothing of them is served."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.losses import LOSSES
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.run_fn import drop_training_parts, rebuild
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

TASKS = tuple(TaskSpec(name, name) for name in ("click", "buy"))
INPUTS = ModelInputs((CategoricalInput("item", 9),), (), (), "item", ("feed", "search"), TASKS)
OPTIONS = {"bottom_hidden": [6, 5], "tower_hidden": [4], "head_hidden": [3]}


def _mlp(layers, inputs, copy):
    for layer in layers:
        kernel, bias = (np.asarray(w, "float64")[copy] for w in (layer.kernel, layer.bias))
        inputs = np.maximum(inputs @ kernel + bias, 0)
    return inputs


def _tower(towers, inputs, copy):
    hidden, output = _mlp(towers.mlp.hidden_layers, inputs, copy), towers.output_layer
    return (
        hidden @ np.asarray(output.kernel, "float64")[copy, :, 0] + np.asarray(output.bias)[copy, 0]
    )


def test_towers_and_small_heads_read_the_shared_bottom():
    fields = np.random.RandomState(0).randn(5, 3, 2).astype("float32")
    network = NETWORKS.build("small_heads", OPTIONS, INPUTS)
    arguments = (fields, np.zeros((5, 1), "int64"), np.zeros(5, "int64"))
    network(*arguments)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    outputs = network(*arguments)
    shared = _mlp(network.bottom.hidden_layers, fields.reshape(5, -1), 0)
    for task in range(2):
        expected = _tower(network.towers, shared, task)
        np.testing.assert_allclose(outputs["logits"][:, task], expected, rtol=1e-4, atol=1e-4)
        expected = _tower(network.small_heads[0], shared, task)
        auxiliary = outputs["auxiliary_logits"][:, task]
        np.testing.assert_allclose(auxiliary, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("arrangement", ["joint", "mtl"])
def test_neither_weights_nor_computation_of_small_heads_are_exported(arrangement, tmp_path):
    def build():
        settings = ModelSettings(
            network="small_heads", options=OPTIONS, embedding_size=4, arrangement=arrangement
        )
        return ARRANGEMENTS.get(arrangement)(INPUTS, settings)

    keras.utils.set_random_seed(1)
    model = build()
    features = {"item": tf.constant([2, 5, 8]), "domain_id": tf.constant([0, 1, 1], tf.int64)}
    expected = model(features)
    assert "auxiliary_logits" in expected
    rebuilt = rebuild(build, [np.array(variable) for variable in model.variables])
    drop_training_parts(rebuilt, weight_names(rebuilt.variables))
    copies = 2 if arrangement == "mtl" else 1
    # Of each small head: kernel and bias of its hidden layer and of its output layer.
    assert len(rebuilt.variables) == len(model.variables) - 4 * copies

    served = tf.Module()
    served.model = rebuilt
    served.score = tf.function(
        lambda item, domain: rebuilt({"item": item, "domain_id": domain})["probabilities"],
        autograph=False,
        input_signature=[tf.TensorSpec([None], tf.int64)] * 2,
    )
    tf.saved_model.save(served, str(tmp_path), signatures=served.score)
    loaded = tf.saved_model.load(str(tmp_path))
    scores = loaded.score(tf.cast(features["item"], tf.int64), features["domain_id"])
    np.testing.assert_allclose(scores, expected["probabilities"], rtol=1e-5)
    stored = tf.train.list_variables(str(tmp_path / "variables" / "variables"))
    shapes = [tuple(shape) for _, shape in stored]
    heads_hidden, tower_hidden = (2, 5, 3), (2, 5, 4)
    assert heads_hidden not in shapes and shapes.count(tower_hidden) == copies
    (signature,) = loaded.signatures.values()
    assert len(signature.variables) == len(rebuilt.variables)


def test_the_loss_is_a_weighted_cross_entropy_of_the_auxiliary_logits():
    random = np.random.RandomState(0)
    labels = random.randint(0, 2, (6, 2)).astype("float32")
    mask = np.asarray([[1, 1], [1, 0], [1, 1], [1, 0], [1, 1], [1, 1]], "float32")
    outputs = {"logits": random.randn(6, 2), "auxiliary_logits": random.randn(6, 2)}
    losses = LOSSES.build("small_heads", {"weight": 0.5}, TASKS)(labels, outputs, mask)
    for task in range(2):
        terms = []
        for row in range(6):
            p = 1 / (1 + np.exp(-outputs["auxiliary_logits"][row, task]))
            if mask[row, task]:
                terms.append(-np.log(p if labels[row, task] else 1 - p))
        assert float(losses[task]) == pytest.approx(0.5 * np.mean(terms), rel=1e-5)


def test_the_loss_names_the_network_that_it_needs():
    loss = LOSSES.build("small_heads", {}, TASKS)
    with pytest.raises(ValueError, match="network that gives 'auxiliary_logits'"):
        loss(np.zeros((2, 2)), {"logits": np.zeros((2, 2))}, np.ones((2, 2)))
