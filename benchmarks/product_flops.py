"""How many floating-point operations one of TensorFlow's matrix products is."""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def product_flops(
    kind: str,
    inputs: Sequence[tuple[int, ...]],
    attributes: Mapping[str, Any],
    output: tuple[int, ...],
) -> float:
    """Operations of one of TensorFlow's operations: two per product of numbers, 0 for no product.

    Args:
        kind: its name.
        inputs: shapes.
        attributes: by name.
        output: shape of the first output.
    """
    if kind == "MatMul":
        rows, columns = inputs[0]
        return 2.0 * (rows if attributes["transpose_a"] else columns) * math.prod(output)
    if kind in ("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3"):
        depth = inputs[0][-2] if attributes["adj_x"] else inputs[0][-1]
        return 2.0 * depth * math.prod(output)
    if kind == "Einsum":
        equation = attributes["equation"]
        text = equation.decode() if isinstance(equation, bytes) else equation
        return _einsum_flops(text, inputs)
    return 0.0


def _einsum_flops(equation: str, inputs: Sequence[tuple[int, ...]]) -> float:
    """Of one with two operands, every letter of which is gone through once; one that sums or
    transposes a single operand multiplies nothing.
    """
    if len(inputs) < 2:
        return 0.0
    sizes: dict[str | int, int] = {}
    for letters, shape in zip(equation.split("->")[0].split(","), inputs, strict=True):
        named, dots, after = letters.partition("...")
        # What the dots stand for has no letters: its axes are counted from the end.
        unnamed = len(shape) - len(named) - len(after) if dots else 0
        for place, size in zip([*named, *range(-unnamed, 0), *after], shape, strict=True):
            sizes[place] = max(size, sizes.get(place, 1))
    return 2.0 * math.prod(sizes.values())
