"""The domains of a data contract: the scenarios that a column tells apart."""

from collections.abc import Mapping
from typing import Annotated, Any

import pydantic

from mtlx.transform.config.names import suggest
from mtlx.transform.config.settings import Settings


class Domain(Settings):
    """The column that tells the scenarios apart.

    Attributes:
        feature: name of a categorical feature.
        values: its values, in the order of the model's domain index. A row with another value
            is refused when it is read, unless `other` is set.
        other: name of the domain that gathers all other values, and rows without one: they are
            read, measured, trained and served under this name. It stands last in `values`, or
            where it is named there. None gathers nothing.
        unknown: what serving does with a value that is not listed: ``first`` takes the row for
            one of the first domain, ``refuse`` refuses the request, the name of a domain takes
            the row for one of that. None is ``first``, or `other` where that is set.
    """

    feature: str
    values: Annotated[list[str], pydantic.Field(min_length=1)]
    other: Annotated[str, pydantic.Field(min_length=1)] | None = None
    unknown: str | None = None

    @pydantic.model_validator(mode="before")
    @classmethod
    def _other_is_a_domain(cls, value: Any) -> Any:
        """Whoever goes through `values` meets `other` as well."""
        if not isinstance(value, Mapping):
            return value
        values, other = value.get("values"), value.get("other")
        if isinstance(values, list) and isinstance(other, str) and other not in values:
            return {**value, "values": [*values, other]}
        return value

    @pydantic.model_validator(mode="after")
    def _unknown_has_a_place(self) -> "Domain":
        if self.unknown is None:
            return self
        if self.other is not None and self.unknown != self.other:
            raise ValueError(
                f"other is {self.other!r} and unknown {self.unknown!r}: unlisted values are "
                "served as they were trained. Leave out unknown"
            )
        if self.unknown in ("first", "refuse"):
            if self.unknown in self.values:
                raise ValueError(
                    f"unknown is {self.unknown!r}, which is a domain as well; call that domain "
                    "otherwise in the log, or leave out unknown"
                )
        elif self.unknown not in self.values:
            known = ["first", "refuse", *self.values]
            raise ValueError(
                f"unknown {self.unknown!r} is no domain, {suggest(self.unknown, known)}"
            )
        return self

    @property
    def refuses_unknown(self) -> bool:
        """Whether serving refuses a value that is not listed."""
        return self.unknown == "refuse"

    @property
    def unknown_index(self) -> int:
        """Index of the domain that serving takes an unlisted value for."""
        name = self.other if self.unknown is None else self.unknown
        return self.values.index(name) if name in self.values else 0
