"""Floating-point operations of a graph's matrix products, counted from the graph itself."""

from typing import Any

from benchmarks.product_flops import product_flops

_ATTRIBUTES = ("transpose_a", "adj_x", "equation")


def matmul_flops(graph: Any) -> int:
    """Two for each product of two numbers that is added up; all else is left out.

    Args:
        graph: a TensorFlow graph whose shapes are known.

    Raises:
        ValueError: a product's shape is not known.
    """
    return round(sum(_of_operation(operation) for operation in graph.get_operations()))


def _of_operation(operation: Any) -> float:
    if "MatMul" not in operation.type and operation.type != "Einsum":
        return 0.0
    inputs = [tuple(given.shape.as_list()) for given in operation.inputs]
    made = tuple(operation.outputs[0].shape.as_list())
    if any(None in shape for shape in (*inputs, made)):
        raise ValueError(f"{operation.name}: shapes {inputs}, {made} are not known")
    known = operation.node_def.attr
    given = {name: operation.get_attr(name) for name in _ATTRIBUTES if name in known}
    return product_flops(operation.type, inputs, given, made)
