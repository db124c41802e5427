"""Several values of a row as one: what hangs on their pair hangs on neither alone."""

from typing import Annotated, Literal

import pydantic

from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.model_inputs import FIRST_VALUE_ID, CategoricalInput


class CrossFeature(Settings):
    """The values of several categorical features together, by a hash; it has no column of its own.

    A row in which one of the values is missing has the id of a missing value.

    Attributes:
        of: the categorical features, with one value each, at least two; ones with ``embed: false``
            may be among them.
        hash_buckets: number of ids; two combinations share one by chance.
    """

    kind: Literal["cross"] = "cross"
    of: Annotated[list[str], pydantic.Field(min_length=2)]
    hash_buckets: pydantic.PositiveInt

    @pydantic.field_validator("of")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError(f"names a feature twice: {value}")
        return value

    @property
    def form(self) -> str:
        """What it is to a model, in words."""
        return f"a cross of {' and '.join(self.of)} (hash_buckets: {self.hash_buckets})"

    def input(self, name: str) -> CategoricalInput:
        """What a model is given of it, called `name`."""
        return CategoricalInput(name, FIRST_VALUE_ID + self.hash_buckets)
