import numpy as np


def test_one_interest_from_all_behaviours_stitched_together(reference):
    encoder, interests = reference.build("atrank", feed_forward=6)
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
        expected = reference.block(encoder.target_attention, 0, target[None], attended, real)
        np.testing.assert_allclose(interests[row], expected, rtol=1e-3, atol=1e-4)


def test_a_row_without_behaviours_gives_what_the_target_alone_does(reference):
    encoder, _ = reference.build("atrank", feed_forward=6)
    values, masks, target = reference.data()
    nothing = {name: np.zeros_like(mask) for name, mask in masks.items()}
    values = {name: value.astype("float32") for name, value in values.items()}
    interests = np.asarray(encoder(values, nothing, target.astype("float32")))
    for row, item in enumerate(reference.normalised(target)):
        empty = (np.zeros((1, 4)), [False])
        (expected,) = reference.block(encoder.target_attention, 0, item[None], *empty)
        np.testing.assert_allclose(interests[row, 0], expected, rtol=1e-3, atol=1e-4)
