"""Parts that could run and learn nothing: does training move them where the data says they belong?

Everything is planted. Where a network has another way to the same end, that way is shut, so that
the part named alone can do it.
"""

import keras
import numpy as np
import pytest
from keras import ops

from benchmarks.planted_tasks import Given, Training
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.networks.adatt import FusionLevel
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

ROWS, RATE = 10_000, 0.01
ALONE = (TaskSpec("click", "click"), TaskSpec("buy", "buy"))
CHAIN = (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click"))


def _inputs(tasks=ALONE, domains=1):
    names = tuple(f"domain_{index}" for index in range(domains))
    return ModelInputs((CategoricalInput("item", 3),), (), (), None, names, tasks)


def _draw(random, logits):
    return (random.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype("int64")


def _sample(draw, rows, seed):
    """Columns of `draw`: fields and logits by task, and whatever else is named."""
    random = np.random.default_rng(seed)
    fields, logits, others = draw(random, rows)
    labels = {name: _draw(random, values) for name, values in logits.items()}
    columns = {"fields": fields.astype("float32"), "domain_id": np.zeros(rows, "int64")}
    return {**columns, **labels, **others}, logits


#: By what was built for which tasks: the next one of the kind needs no graph of its own.
_TRAININGS = {}


def _train(build, tasks, draw, epochs=4, seed=1, **settings):
    columns, _ = _sample(draw, ROWS, seed)
    keras.utils.set_random_seed(seed)
    model, key = Given(build(tasks)), (build, tasks)
    if key in _TRAININGS:
        training = _TRAININGS[key]
        training.start_again(model, columns, seed)
    else:
        training = Training(model, tasks, columns, seed=seed, learning_rate=RATE, **settings)
        _TRAININGS[key] = training
    training.epochs(epochs)
    return training


def _aucs(training, draw):
    """By task: AUC on other rows, and the best possible one."""
    columns, truth = _sample(draw, ROWS, 10**6)
    scores = training.predict(columns)["logits"]
    return {
        task: (
            area_under_curve(columns[task], scores[:, place]),
            area_under_curve(columns[task], truth[task]),
        )
        for place, task in enumerate(truth)
    }


# What the click's input holds, and the buy's does not.


def _in_the_clicks_input(random, rows):
    values = random.normal(size=(rows, 2, 1, 3))  # (B, T, F, k)
    # MAN's attention has one map for both, and can but tell them apart by what they hold.
    values[..., 2] = [[1.0], [-1.0]]
    logits = 2 * values[:, 0, 0, 0]
    return values, {"click": logits, "buy": logits}, {}


class GivenExtraction(keras.layers.Layer):
    """MAN's first stage, with representations ``(B, T, h)`` that are given."""

    visible = None

    def call(self, fields, training=False):
        values = ops.reshape(fields, (-1, 2, 3))
        weights = ops.ones_like(values)
        return values, weights, weights


def _aitm(tasks):
    return NETWORKS.build("aitm", {"tower_hidden": [8]}, _inputs(tasks))


def _man(tasks):
    options = {"expert_hidden": [3], "tower_hidden": [8], "attention": True}
    network = NETWORKS.build("man", options, _inputs(tasks))
    network.extraction = GivenExtraction()
    return network


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("build", [_aitm, _man])
def test_attention_hands_on_what_the_preceding_task_knows(build, seed):
    training = _train(build, CHAIN, _in_the_clicks_input, seed=seed, loss=_CROSS_ENTROPY)
    found, best = _aucs(training, _in_the_clicks_input)["buy"]
    print(build.__name__, seed, round(found, 3), round(best, 3))
    assert found > 0.5 + 0.9 * (best - 0.5)


@pytest.mark.parametrize("build", [_aitm, _man])
def test_without_a_preceding_task_nothing_is_handed_on(build):
    training = _train(build, ALONE, _in_the_clicks_input, 2, loss=_CROSS_ENTROPY)
    found, _ = _aucs(training, _in_the_clicks_input)["buy"]
    assert abs(found - 0.5) < 0.03


_CROSS_ENTROPY = [{"name": "binary_cross_entropy"}]

# Domains of which one likes what the other one dislikes.


def _opposite_domains(random, rows):
    values = random.normal(size=(rows, 1, 3))
    domain = random.integers(0, 2, rows)
    sign = np.where(domain == 0, 1.0, -1.0)
    logits = 2 * sign * values[:, 0, 0]
    return values, {"click": logits, "buy": -logits}, {"domain_id": domain}


def _star(tasks):
    """Without the auxiliary network, which reads the domain too."""
    options = {"hidden": [8], "tower_hidden": [8], "auxiliary_hidden": [4]}
    network = NETWORKS.build("star", options, _inputs(tasks, domains=2))
    network.auxiliary = lambda joined, training: ops.zeros_like(joined[:, None, :4])
    return network


def _m2m(tasks):
    options = {"experts": 2, "expert_hidden": [8], "attention_units": 6, "knowledge_size": 8}
    return NETWORKS.build("m2m", options, _inputs(tasks, domains=2))


@pytest.mark.parametrize(("build", "seed"), [(_star, 1), (_star, 2), (_m2m, 1)])
def test_weights_of_domains_part_where_domains_do(build, seed):
    training = _train(build, ALONE, _opposite_domains, 6, seed)
    for task, (found, best) in _aucs(training, _opposite_domains).items():
        print(build.__name__, seed, task, round(found, 3), round(best, 3))
        assert found > 0.5 + 0.9 * (best - 0.5)
    if build is _star:
        # Normalisation and biases of the domains could do it too: their kernels must do their part.
        one, other = np.asarray(training.model.network.hidden_layers[0].domain_kernel)
        print(seed, np.abs(one - other).mean())
        assert np.abs(one - other).mean() > 0.2


def _m2m_with(experts, own_towers, own_attention):
    """M2M whose domains differ in kernels of the named units alone: no bias is generated."""
    options = {"experts": experts, "expert_hidden": [8], "attention_units": 6, "knowledge_size": 8}
    network = NETWORKS.build("m2m", options, _inputs(domains=2))
    network(np.zeros((2, 1, 3), "float32"), np.zeros((2, 1), "int64"), np.zeros(2, "int64"))
    units = {network.attention: own_attention, **dict.fromkeys(network.tower_layers, own_towers)}
    for unit, own in units.items():
        for generator in (unit.bias_generator, *(() if own else (unit.kernel_generator,))):
            generator.assign(np.zeros(generator.shape))
            generator.trainable = False
    return network


@pytest.mark.parametrize(
    ("experts", "own_towers", "own_attention"),
    [(1, True, False), (4, False, True), (4, False, False)],
    ids=["towers", "attention", "neither"],
)
def test_generated_kernels_know_the_domain(experts, own_towers, own_attention):
    """Kernels of towers alone, of the attention over experts alone; fixed ones guess."""
    training = _train(
        lambda _: _m2m_with(experts, own_towers, own_attention), ALONE, _opposite_domains, 6
    )
    for task, (found, best) in _aucs(training, _opposite_domains).items():
        print(own_towers, own_attention, task, round(found, 3), round(best, 3))
        if own_towers or own_attention:
            assert found > 0.5 + 0.9 * (best - 0.5)
        else:
            assert abs(found - 0.5) < 0.03


def test_weights_common_to_all_domains_know_no_opposites():
    """All rows are told to be of one domain."""

    def of_one_domain(random, rows):
        fields, logits, _ = _opposite_domains(random, rows)
        return fields, logits, {}

    training = _train(_star, ALONE, of_one_domain, 2)
    assert all(abs(found - 0.5) < 0.03 for found, _ in _aucs(training, of_one_domain).values())


# AdaTT's own numbers for a task's own experts.


class GivenExperts(keras.layers.Layer):
    """Experts ``(B, E, h)`` that are given."""

    def call(self, inputs, training=False):
        return ops.reshape(inputs, (-1, 4, 2))


class Fusion(keras.layers.Layer):
    """A level of AdaTT of two tasks with two experts each, and linear read-outs."""

    def __init__(self, tasks):
        super().__init__()
        self.level = FusionLevel(np.asarray([0, 0, 1, 1], "int32"), 2, [2], 0.0)
        self.level.experts = GivenExperts()
        self.towers = self.add_weight(shape=(2, 2), initializer="glorot_uniform", name="towers")

    def call(self, fields, field_ids, domain_ids, training=False):
        fused, _, _ = self.level(ops.reshape(fields, (-1, 8)), training=training)
        return {"logits": ops.einsum("bth,th->bt", fused, self.towers)}


def _in_the_second_expert(random, rows):
    """The label hangs on the second of a task's own experts; the others are noise."""
    values = random.normal(size=(rows, 4, 2))
    return values, {"click": 2 * values[:, 1, 0], "buy": 2 * values[:, 3, 0]}, {}


@pytest.mark.parametrize("seed", [1, 2])
def test_adatts_numbers_weigh_the_experts_that_know(seed):
    """v of the expert that knows the label, with the gate's weight, beside that of noise."""
    training = _train(Fusion, ALONE, _in_the_second_expert, 6, seed)
    native = np.asarray(training.model.network.level.native).reshape(2, 2)
    print(seed, native)
    for found, best in _aucs(training, _in_the_second_expert).values():
        print(found, best)
        assert found > 0.5 + 0.95 * (best - 0.5)
    # What a gate gives to noise, at least a little, these numbers take back.
    assert (np.abs(native[:, 1]) > np.abs(native[:, 0]) + 0.5).all()
