import numpy as np


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
