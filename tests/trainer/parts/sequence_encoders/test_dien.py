import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks.planted_sequences import SAME_KIND, Learning
from mtlx.trainer.losses import LOSSES
from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.contract.model_inputs import TaskSpec
from tests.trainer.small_members import FULL

TASKS = (TaskSpec("click", "click"), TaskSpec("buy", "buy"))


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _recurrence(layer, copy, inputs, attention, width):
    """All states of the GRU with attentional update gate (AUGRU), from the paper's equations."""
    kernel = np.asarray(layer.projection.kernel, "float64")[copy]
    bias = np.asarray(layer.projection.bias, "float64")[copy]
    recurrent = np.asarray(layer.recurrence.cell.kernel, "float64")[copy]
    (w_u, w_r, w_c), (b_u, b_r, b_c), (u_u, u_r, u_c) = (
        np.split(weight, 3, axis=-1) for weight in (kernel, bias, recurrent)
    )
    state, states = np.zeros(width), []
    for x, a in zip(inputs, attention, strict=True):
        update = a * _sigmoid(x @ w_u + state @ u_u + b_u)
        reset = _sigmoid(x @ w_r + state @ u_r + b_r)
        candidate = np.tanh(x @ w_c + reset * (state @ u_c) + b_c)
        state = (1 - update) * state + update * candidate
        states.append(state)
    return np.stack(states)


def test_interests_evolve_over_the_real_positions(reference):
    encoder, interests = reference.build("dien")
    assert interests.shape == (3, 2, 4)
    for row, target, sequences in reference.rows():
        for copy, (items, real) in enumerate(sequences):
            length = real.sum()
            if not length:
                np.testing.assert_array_equal(interests[row, copy], np.zeros(4))
                continue
            # The reference sees no padding at all.
            states = _recurrence(encoder.extractor, copy, items[:length], np.ones(length), 4)
            matrix = np.asarray(encoder.relation.projection.kernel, "float64")[copy]
            scores = [state @ matrix @ target for state in states]
            attention = reference.softmax(scores, np.ones(length, bool))
            expected = _recurrence(encoder.evolution, copy, states, attention, 4)[-1]
            np.testing.assert_allclose(interests[row, copy], expected, rtol=1e-3, atol=1e-5)


def test_auxiliary_loss_tells_the_next_behaviour_from_one_of_the_row_before(reference):
    encoder, _ = reference.build("dien")
    values, masks, target = reference.data()
    values = {name: value.astype("float32") for name, value in values.items()}
    _, outputs = encoder(values, masks, target.astype("float32"), training=True)
    rows = [sequences for _, _, sequences in reference.rows()]
    for row, sequences in enumerate(rows):
        terms = []
        for copy, (items, real) in enumerate(sequences):
            length = real.sum()
            others, other_real = rows[row - 1][copy]
            others = others[1 : other_real.sum()]
            if not length or not len(others):
                continue
            states = _recurrence(encoder.extractor, copy, items[:length], np.ones(length), 4)
            for place in range(min(length - 1, len(others))):
                right = _sigmoid(states[place] @ items[place + 1])
                wrong = _sigmoid(states[place] @ others[place])
                terms.append(-np.log(right) - np.log(1 - wrong))
        expected = sum(terms) / (2 * 3)  # of two sequences with three positions that have a next
        np.testing.assert_allclose(outputs["losses/next_behaviour"][row], expected, rtol=1e-4)
    # Row 0 looks into row 2, whose buys it may read, but has one alone; row 1 looks into row 0.
    assert [bool(loss) for loss in outputs["losses/next_behaviour"]] == [False, True, False]


def test_loss_is_the_mean_over_all_rows_shared_among_the_tasks():
    loss = LOSSES.build("next_behaviour", {"weight": 0.5}, TASKS)
    labels, mask = np.zeros((4, 2), "float32"), np.zeros((4, 2), "float32")
    outputs = {"losses/next_behaviour": tf.constant([1.0, 2.0, 3.0, 6.0])}
    np.testing.assert_allclose(loss(labels, outputs, mask), [0.75, 0.75])
    with pytest.raises(ValueError, match="needs a sequence encoder .* such as 'dien'"):
        loss(labels, {"logits": labels}, mask)


def test_sequences_of_one_behaviour_have_nothing_to_tell(reference):
    import dataclasses

    short = tuple(dataclasses.replace(s, max_length=1) for s in reference.inputs.sequences)
    inputs = dataclasses.replace(reference.inputs, sequences=short)
    encoder = SEQUENCE_ENCODERS.build("dien", {}, inputs)
    values = {s.name: np.ones((3, 1, 4), "float32") for s in short}
    masks = {s.name: np.ones((3, 1), bool) for s in short}
    target = np.ones((3, 4), "float32")
    _, outputs = encoder(values, masks, target, training=True)
    np.testing.assert_array_equal(outputs["losses/next_behaviour"], np.zeros(3))


def test_auxiliary_loss_is_finite_and_float32_in_half_precision(reference):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        encoder = SEQUENCE_ENCODERS.build("dien", {}, reference.inputs)
        values, masks, target = reference.data()
        values = {name: tf.constant(100 * value, tf.float32) for name, value in values.items()}
        with tf.GradientTape() as tape:
            tape.watch(values)
            _, outputs = encoder(values, masks, tf.constant(target, tf.float32), training=True)
            loss = outputs["losses/next_behaviour"]
        projection = encoder.extractor.projection
        gradients = tape.gradient(loss, [*values.values(), projection.kernel, projection.bias])
    finally:
        keras.config.set_dtype_policy("float32")
    assert loss.dtype == tf.float32
    for values in (loss, *gradients):
        assert np.isfinite(tf.cast(values, tf.float32)).all()
    assert np.any(gradients[2]) and np.any(gradients[3])


@pytest.mark.parametrize("arrangement", list(ARRANGEMENTS))
def test_auxiliary_loss_is_there_in_training_alone(arrangement):
    """In every arrangement of tasks and domains, for each row once."""
    settings = ModelSettings(
        network="single_task",
        options={"hidden": [4]},
        embedding_size=4,
        sequence_encoder="dien",
        arrangement=arrangement,
    )
    model = ARRANGEMENTS.get(arrangement)(FULL, settings)
    assert {"name": "next_behaviour"} in model.default_losses
    random = np.random.RandomState(0)
    features = {field.name: random.randint(1, 12, 6) for field in FULL.categorical}
    features |= {f.name: random.randint(1, 12, (6, f.max_length)) for f in FULL.sequences}
    features |= {"price": np.zeros(6, "float32"), "domain_id": np.array([0, 1, 0, 1, 0, 1])}
    assert "losses/next_behaviour" not in model(features)
    losses = np.asarray(model(features, training=True)["losses/next_behaviour"])
    assert losses.shape == (6,) and (losses > 0).all()


class _Learning(Learning):
    """Measured on as many rows as it learns from."""

    TEST_ROWS = SAME_KIND.rows


def test_learns_from_sequences_what_labels_hardly_show():
    """Which of 400 items belong together, from 4,000 rows."""
    loss = [{"name": "binary_cross_entropy"}]
    alone = _Learning(SAME_KIND, "dien", learning_rate=0.01, loss=loss)
    learning = _Learning(SAME_KIND, "dien", learning_rate=0.01)
    for seed in (1, 2):
        alone.start_again(seed)
        reached = max(alone.epoch()[0] for _ in range(6))
        enough = reached + 0.5 * (alone.best()[0] - reached)
        learning.start_again(seed)
        aucs = []
        while len(aucs) < 6 and max(aucs, default=0.0) < enough:
            aucs.append(learning.epoch()[0])
        assert max(aucs) > enough, (seed, reached, aucs)
