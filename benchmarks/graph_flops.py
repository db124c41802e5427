"""Floating-point operations of a graph's matrix products, counted from the graph itself."""

from collections.abc import Iterator
from math import prod
from typing import Any

PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum")


def matmul_flops(graph: Any) -> int:
    """Two for each product of two numbers that is added up; all else is left out.

    Args:
        graph: a TensorFlow graph whose shapes are known.

    Raises:
        ValueError: a product's shape is not known.
    """
    return sum(_of_operation(operation) for operation in _products(graph))


def _products(graph: Any) -> Iterator[Any]:
    for operation in graph.get_operations():
        if operation.type in PRODUCTS:
            yield operation


def _of_operation(operation: Any) -> int:
    left, right = (given.shape.as_list() for given in operation.inputs)
    made = operation.outputs[0].shape.as_list()
    if None in (*left, *right, *made):
        raise ValueError(f"{operation.name}: shapes {left}, {right}, {made} are not known")
    if operation.type == "Einsum":
        equation = operation.get_attr("equation").decode()
        terms = equation.split("->")[0].split(",")
        sizes = {letter: size for term, shape in zip(terms, (left, right), strict=True)
                 for letter, size in zip(term, shape, strict=True)}  # fmt: skip
        return 2 * prod(sizes.values())
    turned = "transpose_a" if operation.type == "MatMul" else "adj_x"
    inner = left[-2] if operation.get_attr(turned) else left[-1]
    return 2 * prod(made) * inner
