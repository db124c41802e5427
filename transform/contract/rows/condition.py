"""A condition on one column of a log: a label that is told by a threshold, or a filter of rows."""

import math
from typing import Annotated, Any

import pydantic

from mtlx.transform.config.settings import Settings


def _no_truth_value(value: Any) -> Any:
    """Else true would be the number 1."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"should be a number. Received: {value!r}")
    return value


Limit = Annotated[float, pydantic.BeforeValidator(_no_truth_value)]
#: How the tests are written where people read them.
_SIGNS = {"at_least": ">=", "above": ">", "at_most": "<=", "below": "<"}


class Condition(Settings):
    """What a value of a column has to be; one test of the five.

    Attributes:
        column: of the log; for a number one that holds numbers, or texts that are.
        at_least: holds where the number is this one or above.
        above: where it is above.
        at_most: where it is this one or below.
        below: where it is below.
        one_of: where the value, as text, is one of these.
    """

    column: str
    at_least: Limit | None = None
    above: Limit | None = None
    at_most: Limit | None = None
    below: Limit | None = None
    one_of: Annotated[list[str | int], pydantic.Field(min_length=1)] | None = None

    @pydantic.model_validator(mode="after")
    def _one_test(self) -> "Condition":
        names = [*_SIGNS, "one_of"]
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"takes exactly one of {', '.join(names)}. Received: {', '.join(given) or 'none'}"
            )
        return self

    @pydantic.model_serializer(mode="wrap")
    def _only_the_test(self, serialize: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        return {name: value for name, value in values.items() if value is not None}

    @property
    def texts(self) -> tuple[str, ...] | None:
        """The values of `one_of` as texts; None for a test of a number."""
        return None if self.one_of is None else tuple(str(value) for value in self.one_of)

    @property
    def sign(self) -> str:
        """``>=``, ``>``, ``<=`` or ``<``, of a test of a number."""
        return next(sign for name, sign in _SIGNS.items() if getattr(self, name) is not None)

    @property
    def limit(self) -> float:
        """What the number is compared with."""
        found = [value for name in _SIGNS if (value := getattr(self, name)) is not None]
        return float(found[0])

    @property
    def words(self) -> str:
        """``watch_seconds >= 30``."""
        if self.texts is not None:
            return f"{self.column} in {', '.join(self.texts)}"
        return f"{self.column} {self.sign} {self.limit:.15g}"
