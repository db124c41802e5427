import numpy as np
import pytest


@pytest.mark.parametrize("slope", [None, 0.2])
@pytest.mark.parametrize("output", ["target", "all"])
@pytest.mark.parametrize("blocks", [1, 2])
def test_transformer_over_behaviours_and_target(reference, output, blocks, slope):
    options = {} if slope is None else {"leaky_slope": slope}
    options |= {"feed_forward": 6, "blocks": blocks, "output": output}
    encoder, interests = reference.build("bst", **options)

    def leaky_relu(x):
        return np.where(x > 0, x, (slope or 0.01) * x)

    assert interests.shape == ((3, 2, 4) if output == "target" else (3, 2 * 5, 4))
    tables = np.asarray(encoder.positions.table, "float64").reshape(2, 5, 4)
    for row, target, sequences in reference.rows():
        for copy, (items, real) in enumerate(sequences):
            back = [max(real.sum() - place, 0) for place in range(len(items))]
            items = [item + tables[copy, b] for item, b in zip(items, back, strict=True)]
            values = np.stack([*items, target + tables[copy, 0]])
            present = [*real, True]
            for block in encoder.blocks:
                values = reference.block(block, copy, values, values, present, None, leaky_relu)
            if output == "target":
                actual, expected = interests[row, copy], values[-1]
            else:
                # Outputs of the real positions, the target's last; zeros at padded ones.
                actual = interests[row, copy * 5 : (copy + 1) * 5]
                expected = np.zeros((5, 4))
                expected[: real.sum()], expected[-1] = values[: real.sum()], values[-1]
            np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4)
