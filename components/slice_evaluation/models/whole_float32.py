"""Products of float32 as a server without a GPU has them."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def whole_float32() -> Iterator[None]:
    """Switches off, for a while, what rounds the factors of products to 10 bits.

    GPUs do so unless they are told not to (TensorFloat-32), and predictions are then others than a
    server's.
    """
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)
