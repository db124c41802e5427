"""Batch normalisation with weights and statistics of its own for every copy."""

import keras
from keras import ops


class ParallelBatchNormalization(keras.layers.Layer):
    """BN_c(x) = γ_c ⊙ (x − μ_c) / sqrt(σ_c² + ε) + β_c (Ioffe and Szegedy 2015).

    In training μ_c and σ_c² are those of the batch, in the gradient too; else they are moving
    averages, M ← m M + (1 − m) μ, which start at 0 and 1. As in PyTorch's code of papers m is
    0.9 and ε 1e-5 (Keras: 0.99 and 1e-3), so that statistics follow weights that still move; unlike
    there the moving variance is the one that normalises, without Bessel's correction, as in Keras.

    On several devices the statistics are those of the whole batch, exchanged at every layer. A
    step in parts (`training.batch_parts`) takes those of each part.

    Shapes: ``(B, copies, n)`` to the same.

    Args:
        copies: number of layers.
        momentum: m.
        epsilon: ε.
    """

    def __init__(self, copies: int, momentum: float = 0.9, epsilon: float = 1e-5):
        super().__init__()
        self.copies, self.momentum, self.epsilon = copies, momentum, epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates γ (ones) and β (zeros), ``(copies, n)``, and the statistics, not trained."""
        shape = (self.copies, input_shape[-1])
        self.scale = self.add_weight(shape=shape, initializer="ones", name="scale")
        self.shift = self.add_weight(shape=shape, initializer="zeros", name="shift")
        self.moving_mean, self.moving_variance = (
            self.add_weight(
                shape=shape,
                initializer=initializer,
                dtype="float32",
                trainable=False,
                autocast=False,
                # All devices assign the same.
                aggregation="mean",
                name=name,
            )
            for name, initializer in (("moving_mean", "zeros"), ("moving_variance", "ones"))
        )

    def call(self, inputs: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Normalises by the batch in training, which moves the statistics, else by these."""
        # Squares of float16 values overflow, so the statistics are taken in float32.
        values = ops.cast(inputs, "float32")
        mean = ops.convert_to_tensor(self.moving_mean)
        variance = ops.convert_to_tensor(self.moving_variance)
        scale, shift = (ops.cast(each, "float32") for each in (self.scale, self.shift))
        if training:
            values, mean, variance = self._statistics(values, mean, variance)
        else:
            values, mean = values - mean, ops.zeros_like(mean)
        # Two passes over the values, which lie around 0 by now; all else is of the size of γ.
        factor = scale * ops.rsqrt(variance + self.epsilon)
        return ops.cast(values * factor + (shift - mean * factor), inputs.dtype)

    def _statistics(
        self, values: keras.KerasTensor, moving_mean: keras.KerasTensor, moving: keras.KerasTensor
    ) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """Those of the batch ``(copies, n)``, which the moving ones take in.

        Returns:
            Values less about their mean, what is left of the mean in them, and the variance.
        """
        # On the other backends a step runs on one device here, and they can't exchange moments.
        several = keras.backend.backend() == "tensorflow"
        # In two passes: squares of values far from 0 would leave nothing of the variance.
        around, _ = ops.moments(values, axes=[0], synchronized=several)
        around = ops.stop_gradient(around)
        centred = values - around
        offset, variance = ops.moments(centred, axes=[0], synchronized=several)
        mean = around + offset
        # Devices and parts may have no rows at all; what is averaged is then left as it is.
        rows = ops.ones_like(values[:, 0, 0])
        present, _ = ops.moments(rows, axes=[0], synchronized=several)
        taken = (1.0 - self.momentum) * present
        for variable, old, new in (
            (self.moving_mean, moving_mean, mean),
            (self.moving_variance, moving, variance),
        ):
            new = ops.where(present > 0, new, old)
            variable.assign(old + taken * (ops.stop_gradient(new) - old))
        return centred, offset, variance
