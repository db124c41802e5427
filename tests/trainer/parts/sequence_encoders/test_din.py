import numpy as np
import pytest


@pytest.mark.parametrize("softmax", [False, True])
def test_behaviours_are_weighed_by_the_local_activation_unit(reference, softmax):
    encoder, interests = reference.build("din", hidden=[6, 5], softmax=softmax)
    assert interests.shape == (3, 2, 4)
    for row, target, sequences in reference.rows(scaled=lambda values: values):
        for copy, (items, real) in enumerate(sequences):
            scores = []
            compared = reference.normalised(target)
            for item in reference.normalised(items):
                parts = [item, compared, item - compared, item * compared]
                hidden = np.concatenate(parts)
                for layer in encoder.hidden_layers:
                    hidden = 1 / (1 + np.exp(-reference.dense(layer, hidden, copy)))
                scores.append(reference.dense(encoder.output_layer, hidden, copy)[0])
            weights = reference.softmax(scores, real) if softmax else np.where(real, scores, 0)
            expected = sum(w * item for w, item in zip(weights, items, strict=True))
            np.testing.assert_allclose(interests[row, copy], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(interests[1, 1], np.zeros(4))
