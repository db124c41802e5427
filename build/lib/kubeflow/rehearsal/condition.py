"""Trigger conditions of a package: the part of CEL that `dsl.If` compiles to."""

import ast
import operator
import re
from collections.abc import Mapping
from typing import Any

_COMPARISONS = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_STRING = re.compile(r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_WORDS = (
    (r"&&", " and "),
    (r"\|\|", " or "),
    (r"!(?!=)", " not "),
    (r"\btrue\b", "True"),
    (r"\bfalse\b", "False"),
)


class UnknownCondition(ValueError):
    """The condition has more of CEL than is known here."""


def holds(condition: str, parameters: Mapping[str, Any]) -> bool:
    """Whether a trigger condition holds.

    Args:
        condition: such as ``inputs.parameter_values['gate-blessed'] == true``; empty holds.
        parameters: inputs of the task.

    Raises:
        UnknownCondition: something else than comparisons, joined by ``&&``, ``||`` and ``!``.
        KeyError: the task has no such input.
    """
    if not condition.strip():
        return True
    parts = _STRING.split(condition)
    for place in range(0, len(parts), 2):  # Those between are strings.
        for pattern, word in _WORDS:
            parts[place] = re.sub(pattern, word, parts[place])
    try:
        tree = ast.parse("".join(parts).strip(), mode="eval")
        return bool(_value(tree.body, parameters))
    except (SyntaxError, TypeError) as error:
        raise UnknownCondition(f"condition {condition!r}: not understood: {error}") from error


def _value(node: ast.expr, parameters: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BoolOp):
        values = [bool(_value(value, parameters)) for value in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not _value(node.operand, parameters)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARISONS:
        left, right = _value(node.left, parameters), _value(node.comparators[0], parameters)
        if isinstance(left, bool) != isinstance(right, bool):
            raise TypeError(f"{left!r} and {right!r} are not of one type")
        return _COMPARISONS[type(node.ops[0])](left, right)
    if (
        isinstance(node, ast.Subscript)
        and ast.unparse(node.value) == "inputs.parameter_values"
        and isinstance(node.slice, ast.Constant)
    ):
        return parameters[node.slice.value]
    raise TypeError(f"{ast.unparse(node)} is not known here")
