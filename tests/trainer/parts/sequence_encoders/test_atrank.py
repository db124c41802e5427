import numpy as np
import pytest

DECODERS = ["layer", "attention"]


@pytest.mark.parametrize("decoder", DECODERS)
def test_one_interest_from_all_behaviours_stitched_together(reference, decoder):
    encoder, interests = reference.build("atrank", feed_forward=6, decoder=decoder)
    decode = reference.block if decoder == "layer" else reference.attention
    assert interests.shape == (3, 1, 4)
    types = np.asarray(encoder.types.table, "float64")
    for row, target, sequences in reference.rows():
        behaviours = [
            item + types[kind]
            for kind, (items, real) in enumerate(sequences)
            for item in items[: real.sum()]
        ]  # without any padding
        stitched, real = np.stack(behaviours), [True] * len(behaviours)
        attended = reference.block(encoder.self_attention, 0, stitched, stitched, real)
        expected = decode(encoder.decoder, 0, target[None], attended, real)
        np.testing.assert_allclose(interests[row], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_row_without_behaviours_gives_what_the_target_alone_does(reference, decoder):
    encoder, _ = reference.build("atrank", feed_forward=6, decoder=decoder)
    values, masks, target = reference.data()
    nothing = {name: np.zeros_like(mask) for name, mask in masks.items()}
    values = {name: value.astype("float32") for name, value in values.items()}
    interests = np.asarray(encoder(values, nothing, target.astype("float32")))
    for row, item in enumerate(reference.normalised(target)):
        expected = np.zeros((1, 4))
        if decoder == "layer":
            expected = reference.block(encoder.decoder, 0, item[None], expected, [False])
        np.testing.assert_allclose(interests[row], expected, rtol=1e-3, atol=1e-4)
