import numpy as np
import pytest


@pytest.mark.parametrize("positions", [True, False])
def test_a_transformer_of_its_own_for_every_sequence(reference, positions):
    encoder, interests = reference.build("dmt", feed_forward=6, positions=positions)
    assert interests.shape == (3, 2, 4)
    for row, target, sequences in reference.rows():
        for copy, (items, real) in enumerate(sequences):
            if positions:
                table = np.asarray(encoder.positions.table, "float64").reshape(2, 5, 4)[copy]
                back = [max(real.sum() - place, 0) for place in range(len(items))]
                items = np.stack([item + table[b] for item, b in zip(items, back, strict=True)])
            encoded = reference.block(encoder.encoder, copy, items, items, real)
            expected = reference.block(encoder.decoder, copy, target[None], encoded, real)[0]
            np.testing.assert_allclose(interests[row, copy], expected, rtol=1e-3, atol=1e-4)
