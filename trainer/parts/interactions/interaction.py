"""What all feature-interaction modules have in common."""

from typing import ClassVar

import keras


class Interaction(keras.layers.Layer):
    """Base of the feature-interaction modules (FIM).

    A module computes `copies` independent instances in batched contractions, so that the groups
    of DTN (one per task and a shared one) cost no Python loop.

    Called with fields ``(B, F, k)`` and field_ids ``(B, C)`` int64, the ids of the first C
    fields, it gives ``(B, copies, units)``. A weight that differs between copies holds them one
    after the other along one of its axes, so that the weights of some copies can be taken out.

    Attributes:
        tells_ids_apart: whether it goes by the ids themselves; to such a module they are numbers
            that stay with their values from one day's training to the next.

    Args:
        copies: number of instances.
        field_names: names of the C categorical fields; what an option may name.
        units: output width of each instance.

    Raises:
        ValueError: a size is not positive.
    """

    tells_ids_apart: ClassVar[bool] = False

    def __init__(self, copies: int, field_names: tuple[str, ...], units: int):
        super().__init__()
        if copies < 1 or units < 1:
            raise ValueError(f"copies and units must be positive; received {copies} and {units}")
        self.copies = copies
        self.field_names = tuple(field_names)
        self.units = units
