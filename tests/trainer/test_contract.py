"""What every registered network, encoder, bottom and arrangement promises, in one suite.

A new member is tested by its line in the registry; `small_members` gives it small sizes,
nothing else. Interactions, losses and options: `test_contract_of_parts.py`.
"""

import functools
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtlx.trainer.layers.told import ATTENTION, REPRESENTATION, listening
from mtlx.trainer.losses import LOSSES
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.networks.network import Network
from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.trainer.validation.in_float32 import in_float32
from tests.trainer.base_in_memory import BaseInMemory, ids_of_today, warm_start
from tests.trainer.small_members import FULL, ONE_OF_EACH, SMALL, TREE

#: Encoders that a network may take otherwise than another: interests by task, losses of their own.
_OF_NETWORKS = [
    name
    for name in SEQUENCE_ENCODERS
    if SEQUENCE_ENCODERS.get(name).task_specific or SEQUENCE_ENCODERS.get(name).default_losses
]
#: Every member once, each in an otherwise usual model: network, encoder, bottom, arrangement.
TRAINED = [name for name in NETWORKS if issubclass(NETWORKS.get(name), Network)]
#: And networks whose hidden layers have statistics, of all rows, and of a domain's besides.
NORMALISED = ["shared_bottom+batch", "star+batch"]
MODELS = [(network, "mean_pooling", "none", "joint") for network in [*TRAINED, *NORMALISED]]
MODELS += [("mmoe", encoder, "none", "joint") for encoder in SEQUENCE_ENCODERS]
MODELS += [("single_task", encoder, "none", "joint") for encoder in _OF_NETWORKS]
MODELS += [("mmoe", "mean_pooling", bottom, "joint") for bottom in BOTTOMS]
MODELS += [("ple", "mean_pooling", "none", arrangement) for arrangement in ARRANGEMENTS]
MODELS = list(dict.fromkeys(MODELS))
each_model = pytest.mark.parametrize("model", MODELS, ids="-".join)
each_network = pytest.mark.parametrize("network", [*TRAINED, *NORMALISED])


def _settings(parts):
    network, encoder, bottom, arrangement = parts
    network, _, normalization = network.partition("+")
    of_network = {"normalization": normalization} if normalization else {}
    return ModelSettings(
        network=network,
        options={**SMALL.get(network, {}), **of_network},
        embedding_size=4,
        sequence_encoder=encoder,
        sequence_options=SMALL.get(encoder, {}),
        bottom=bottom,
        bottom_options=SMALL.get(bottom, {}),
        arrangement=arrangement,
    )


def _build(inputs, parts, seed=1):
    keras.utils.set_random_seed(seed)
    return ARRANGEMENTS.get(parts[-1])(inputs, _settings(parts))


def _features(inputs, rows, seed=0):
    random = np.random.RandomState(seed)
    features = {field.name: random.randint(1, 12, rows) for field in inputs.categorical}
    for field in inputs.numeric:
        features[field.name] = random.randn(rows).astype("float32")
    for field in inputs.sequences:
        lengths = random.randint(0, field.max_length + 1, (rows, 1))
        ids = random.randint(1, 12, (rows, field.max_length))
        features[field.name] = np.where(np.arange(field.max_length) < lengths, ids, 0)
    features["domain_id"] = random.randint(0, len(inputs.domains), rows)
    return {name: tf.constant(values) for name, values in features.items()}


@functools.cache
def _first_build(parts):
    """A model, the values that its variables start from, and its first output."""
    model = _build(FULL, parts)
    outputs = _arrays(model(_features(FULL, 9)))
    start = [np.array(variable) for variable in model.variables]
    return SimpleNamespace(model=model, start=start, outputs=outputs)


@functools.cache
def _second_build(parts):
    """The same, built anew from the same seed."""
    _first_build(parts)
    model = _build(FULL, parts)
    return SimpleNamespace(model=model, outputs=_arrays(model(_features(FULL, 9))))


def _model(parts):
    """The model of these parts, as its first build left it: to build one takes longest here."""
    built = _first_build(parts)
    for variable, value in zip(built.model.variables, built.start, strict=True):
        variable.assign(value)
    return built.model


@functools.cache
def _graph(parts):
    """The model's predictions as training and export trace them: for any number of rows.

    Of the first build, whatever values its variables have: a call costs no Python.
    """
    features = _features(FULL, 2)
    specs = {name: tf.TensorSpec([None, *x.shape[1:]], x.dtype) for name, x in features.items()}
    model = _first_build(parts).model
    traced = tf.function(lambda batch: model(batch, training=False), autograph=False)
    return traced.get_concrete_function(specs)


@pytest.fixture(scope="module", autouse=True)
def _models_end_here():
    """They are hundreds of megabytes, which else stay to the last test of the process."""
    yield
    for built in (_first_build, _second_build, _graph):
        built.cache_clear()


def _move_statistics(model, features):
    """Takes what a step takes into the statistics of the rows, if the model has any."""
    if model.non_trainable_weights:
        model(features, training=True)


def _rows(features, rows):
    return {name: tf.gather(values, rows) for name, values in features.items()}


def _arrays(outputs):
    return {name: np.asarray(value) for name, value in outputs.items()}


def _losses(model):
    """The losses that the model is trained with by default."""
    return [
        LOSSES.build(term["name"], term.get("options", {}), model.inputs_record.tasks)
        for term in model.default_losses
    ]


def _total(losses, outputs, labels, mask=None):
    mask = tf.ones_like(labels) if mask is None else mask
    return tf.add_n([tf.reduce_sum(loss(labels, outputs, mask)) for loss in losses])


def _loss(model, outputs, labels):
    return _total(_losses(model), outputs, labels)


def test_what_no_gradient_trains_is_tested_elsewhere():
    """Untrained, it gives no scores; see `tests/trainer/model/test_tree_model.py`."""
    assert set(NETWORKS) - set(TRAINED) == {"lightgbm"}


@each_model
def test_names_shapes_and_ranges_of_outputs(model):
    model, outputs = _first_build(model).model, _first_build(model).outputs
    for name in ("logits", "probabilities"):
        assert outputs[name].shape == (9, 4) and outputs[name].dtype == np.float32
    sigmoid = 1 / (1 + np.exp(-outputs["logits"]))
    np.testing.assert_allclose(outputs["probabilities"], sigmoid, atol=1e-5)
    assert np.std(outputs["logits"], axis=0).min() > 0
    assert set(model.gate_names) <= {task.name for task in TREE}
    gates = {name for name in outputs if name.startswith("gates/")}
    assert gates == {f"gates/{task}" for task in model.gate_names}
    for task, experts in model.gate_names.items():
        weights = outputs[f"gates/{task}"]
        assert weights.shape == (9, len(experts)) and len(set(experts)) == len(experts)
        total = weights.sum(axis=1)
        assert (weights >= 0).all()
        np.testing.assert_allclose(total, np.round(total[0]), rtol=1e-5)  # one or more softmaxes


@each_model
def test_gradient_reaches_every_weight(model):
    model = _model(model)
    features = _features(FULL, 64)
    labels = tf.constant(np.random.RandomState(0).randint(0, 2, (64, 4)).astype("float32"))
    with tf.GradientTape() as tape:
        loss = _loss(model, model(features, training=True), labels)
    gradients = tape.gradient(loss, model.trainable_variables)
    for weight, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, weight.path
        values = np.asarray(tf.convert_to_tensor(gradient))
        assert np.isfinite(values).all() and (values != 0).any(), weight.path


@each_model
def test_a_row_does_not_depend_on_other_rows(model):
    _model(model)
    features, together = _features(FULL, 9), _first_build(model).outputs
    for rows in ([3], [7, 3, 0], [3, 3]):
        for name, values in _arrays(_graph(model)(_rows(features, rows))).items():
            np.testing.assert_allclose(values, together[name][rows], atol=1e-5, err_msg=name)


@each_model
def test_what_is_of_one_row_is_the_same_for_all(model):
    """A request: what is the user's once, beside many items."""
    (network, encoder, bottom, arrangement), graph = model, _graph(model)
    # Networks are given fields of all rows; what is before them and around them may not know, as in
    # an export, how many these are.
    traces = (encoder, bottom, arrangement) != ("mean_pooling", "none", "joint")
    model = _model(model)
    for embedding in model.embeddings:  # At the start it says next to nothing.
        embedding.table.assign(40 * embedding.table)
    features = _features(FULL, 9)
    user = {name: features[name][4:5] for name in ("user", "city", "clicks", "buys", "domain_id")}
    items = {name: values for name, values in features.items() if name not in user}
    call = functools.partial(model, training=False)
    if traces or network == "mmoe":
        specs = {name: tf.TensorSpec([None, *x.shape[1:]], x.dtype) for name, x in items.items()}
        specs |= {name: tf.TensorSpec(x.shape, x.dtype) for name, x in user.items()}
        call = tf.function(call, autograph=False).get_concrete_function(specs)
    found = _arrays(call({**items, **user}))
    repeated = {name: tf.repeat(values, 9, axis=0) for name, values in user.items()}
    expected = _arrays(graph({**items, **repeated}))
    assert np.std(expected["logits"], axis=0).min() > 0
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-6, err_msg=name)


@each_model
def test_empty_and_full_sequences_stay_finite(model):
    """In one batch: the first half of the rows have empty sequences, the other half full ones."""
    model = _model(model)
    features = _features(FULL, 8)
    for field in FULL.sequences:
        ids = np.repeat([0, 5], 4)[:, None]
        features[field.name] = tf.constant(np.broadcast_to(ids, (8, field.max_length)))
    with tf.GradientTape() as tape:
        outputs = model(features, training=True)
        loss = _loss(model, outputs, tf.ones((8, 4)))
    for name, values in _arrays(outputs).items():
        assert np.isfinite(values).all(), name
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert gradient is None or np.isfinite(tf.convert_to_tensor(gradient)).all()


@each_model
def test_traces_for_any_number_of_rows(model):
    """As training and export trace it: with a batch dimension that is not known."""
    _model(model)
    function, expected = _graph(model), _first_build(model).outputs
    for name, values in _arrays(function(_features(FULL, 9))).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-4, err_msg=name)
    assert function(_features(FULL, 2))["logits"].shape == (2, 4)


@each_model
def test_the_same_seed_gives_the_same_model(model):
    first, second = _first_build(model).outputs, _second_build(model).outputs
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])


@each_model
def test_saved_weights_give_the_same_output(model, tmp_path):
    """In a model that had other values for each of its weights and statistics."""
    path = tmp_path / "model.weights.h5"
    features = _features(FULL, 9)
    first, second = _model(model), _second_build(model).model
    _move_statistics(first, features)  # which are saved too
    expected = _arrays(_graph(model)(features))
    random = np.random.RandomState(2)
    for ours, theirs in zip(first.weights, second.weights, strict=True):
        theirs.assign(random.rand(*theirs.shape))
        assert np.abs(np.asarray(ours) - np.asarray(theirs)).max() > 1e-3, theirs.path
    first.save_weights(path)
    second.load_weights(path)
    for name, values in _arrays(second(features)).items():
        np.testing.assert_allclose(values, expected[name], atol=1e-6)


@each_model
def test_warm_started_it_predicts_what_its_base_model_predicts(model):
    """For vocabularies in another order, that have lost values and have new ones."""
    parts, base = model, _model(model)
    today, settings = _second_build(parts).model, _settings(parts)
    random = np.random.RandomState(0)
    for weight in base.trainable_variables:
        weight.assign_add(0.1 * random.randn(*weight.shape))
    features = _features(FULL, 40)
    _move_statistics(base, features)  # which are taken over too
    known = {
        name: np.where((values > 2) & (values < 5), 5, values)  # the values that are gone
        for name, values in _arrays(features).items()
        if values.dtype == np.int64
    }
    features |= {name: tf.constant(values) for name, values in known.items() if name != "domain_id"}
    start = warm_start(BaseInMemory(base, settings), FULL, settings, None)
    start.give_weights(today)
    moved = {name: tf.constant(ids) for name, ids in ids_of_today(features).items()}
    assert any((moved[name].numpy() != features[name].numpy()).any() for name in ("user", "clicks"))
    ours, theirs = _arrays(today(moved)), _arrays(_graph(parts)(features))
    assert np.std(theirs["logits"], axis=0).min() > 1e-3
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, atol=1e-6, err_msg=name)


@each_network
def test_a_row_leaves_the_own_weights_of_other_domains_alone(network):
    model = _model((network, "mean_pooling", "none", "joint"))
    features = {**_features(FULL, 32), "domain_id": tf.zeros(32, tf.int64)}
    labels = tf.constant(np.random.RandomState(0).randint(0, 2, (32, 4)).astype("float32"))
    variables = model.network.domain_variables
    with tf.GradientTape() as tape:
        loss = _loss(model, model(features, training=True), labels)
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        values = np.asarray(tf.convert_to_tensor(gradient))
        assert values.shape[0] == 2 and (values[0] != 0).any(), variable.path
        assert (values[1] == 0).all(), variable.path


@each_network
def test_learns_a_planted_signal(network):
    """Every task's label follows one id or number among the rows with the preceding label.

    Trained with its own losses, the model's cross-entropy on each task's population must fall far
    below that of its mean.
    """
    model = _model((network, "mean_pooling", "none", "joint"))
    features = _features(FULL, 512)
    click = features["item"] > 6
    cart, like = click & (features["city"] > 6), click & (features["price"] > 0)
    buy = cart & (features["user"] > 6)
    labels = tf.stack([tf.cast(label, tf.float32) for label in (click, cart, like, buy)], axis=1)
    mask = tf.concat([tf.ones((512, 3)), labels[:, 1:2]], axis=1)
    losses, measure = _losses(model), LOSSES.build("binary_cross_entropy", {}, TREE)
    learnt = [weight for loss in losses for weight in loss.trainable_variables]
    variables = model.trainable_variables + learnt
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            outputs = model(features, training=True)
            total = _total(losses, outputs, labels, mask)
        optimizer.apply(tape.gradient(total, variables), variables)
        return tf.reduce_sum(measure(labels, outputs, mask))

    rates = np.average(labels, axis=0, weights=mask)
    chance = -np.sum(rates * np.log(rates) + (1 - rates) * np.log(1 - rates))
    entropies = [float(step())]
    while len(entropies) < 80 and entropies[-1] >= 0.2 * chance:
        entropies.append(float(step()))
    assert entropies[0] > 0.9 * chance
    assert entropies[-1] < 0.2 * chance


@each_model
def test_one_domain_one_task_and_no_sequences_work(model):
    model = _build(ONE_OF_EACH, model)
    features = _features(ONE_OF_EACH, 5)
    del features["domain_id"]
    outputs = _arrays(model(features))
    assert outputs["logits"].shape == (5, 1) and np.isfinite(outputs["logits"]).all()


@each_model
def test_mixed_precision_gives_float32_scores_and_in_float32_those_of_float32(model):
    built = _first_build(model)
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        mixed = _build(FULL, model)
        outputs = mixed(_features(FULL, 9))
    finally:
        keras.mixed_precision.set_global_policy("float32")
    for name in ("logits", "probabilities"):
        assert outputs[name].dtype == tf.float32 and np.isfinite(outputs[name]).all()
    for variable, value in zip(mixed.variables, built.start, strict=True):
        variable.assign(value)
    with in_float32(mixed):
        exact = _arrays(mixed(_features(FULL, 9)))
    assert mixed.compute_dtype == "float16"
    for name in ("logits", "probabilities"):
        np.testing.assert_allclose(exact[name], built.outputs[name], rtol=1e-6, atol=1e-7)


#: Attend to nothing, and so tell of no attention.
_WITHOUT_ATTENTION = ("mean_pooling", "youtube_net", "none")
#: What the towers' logits are not alone: probabilities are composed, another network's are added.
_NOT_LINEAR = ("esmm", "star")


@each_model
def test_who_listens_is_told_and_changes_nothing(model):
    network, encoder, _, arrangement = model
    rows = 60
    # Of one domain, whose towers are one linear map.
    features = {**_features(FULL, rows), "domain_id": tf.zeros(rows, "int64")}
    plain = _arrays(_model(model)(features))
    with listening():
        told = _arrays(_model(model)(features))
    assert told.keys() - plain.keys() <= {REPRESENTATION, ATTENTION}
    for name, values in plain.items():
        np.testing.assert_array_equal(told[name], values)
    representation = told[REPRESENTATION]
    assert representation.shape[:2] == (rows, len(TREE))
    for task in range(len(TREE)) if network.partition("+")[0] not in _NOT_LINEAR else ():
        width_and_1 = np.column_stack([representation[:, task], np.ones(rows)]).astype(float)
        solved, *_ = np.linalg.lstsq(width_and_1, told["logits"][:, task].astype(float), rcond=None)
        np.testing.assert_allclose(width_and_1 @ solved, told["logits"][:, task], atol=1e-4)
    assert (ATTENTION in told) == (
        encoder not in _WITHOUT_ATTENTION and arrangement in ("joint", "mtl")
    )
    if ATTENTION in told:
        behaviours = np.concatenate([features["clicks"], features["buys"]], axis=1) != 0
        assert (told[ATTENTION][~behaviours.any(axis=1)] == 0).all()
