"""Sizes that a layer must know to create its weights."""


def known_size(size: int | None) -> int:
    """An axis of a shape that a layer is built for.

    Raises:
        ValueError: it is not known: only the axes of rows and of positions may be open.
    """
    if size is None:
        raise ValueError("the axis that the weights are made for is open: give it a size")
    return size
