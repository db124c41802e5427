"""Reading what was computed for every domain at each row's own one."""

import keras
from keras import ops


def of_own_domain(values: keras.KerasTensor, domain_ids: keras.KerasTensor) -> keras.KerasTensor:
    """``(B, D, ...)`` at each row's domain: ``(B, ...)``."""
    index = ops.reshape(domain_ids, (-1, *[1] * (len(values.shape) - 1)))
    return ops.take_along_axis(values, index, axis=1)[:, 0]
