"""What rows count for: columns of weights, and what becomes of them."""

from collections.abc import Mapping
from typing import Annotated, Any

import pydantic

from mtlx.transform.config.settings import Settings

#: Name under which the weight of a row travels: no feature may be called so.
ROW_WEIGHT = "weight/row"
#: Name under which travels what a drawn negative counts for in all tasks but the one whose
#: negatives were drawn, where that one's logit is corrected instead (`sampling.correction`).
DRAWN_WEIGHT = "weight/drawn"


def task_weight(task: str) -> str:
    """Name under which the weight of rows for one task travels."""
    return f"weight/task/{task}"


def _named(value: Any) -> Any:
    """A column's name alone is its weight as it stands."""
    return {"column": value} if isinstance(value, str) else value


class ColumnWeight(Settings):
    """A column that says what a row counts for.

    Attributes:
        column: of the log, with numbers from 0 on; a row without one, or with a negative one, is
            malformed.
        clip: the most that counts; larger weights become this one, as of inverse propensities.
    """

    column: str
    clip: pydantic.PositiveFloat | None = None


class RowWeight(Settings):
    """What a row counts for in every task.

    Attributes:
        column: as in a task's `weight`; None for 1.
        clip: likewise.
        half_life_spans: so many spans of `data.window` older, a row counts half as much in the
            training; None for no decay. The rows that test count as their column says.
    """

    column: str | None = None
    clip: pydantic.PositiveFloat | None = None
    half_life_spans: pydantic.PositiveFloat | None = None

    @pydantic.model_validator(mode="after")
    def _says_something(self) -> "RowWeight":
        if self.column is None and self.half_life_spans is None:
            raise ValueError("names neither a column nor half_life_spans: leave it out")
        if self.column is None and self.clip is not None:
            raise ValueError("clip is of the column's weights, and no column is named")
        return self

    @property
    def of_column(self) -> ColumnWeight | None:
        """The column and what is read of it."""
        return None if self.column is None else ColumnWeight(column=self.column, clip=self.clip)

    def decay(self, age: int) -> float:
        """What a row counts for that is so many spans older than the newest that trains."""
        return 1.0 if self.half_life_spans is None else 0.5 ** (age / self.half_life_spans)


#: In the file the name of a column, or a mapping.
AnyColumnWeight = Annotated[ColumnWeight, pydantic.BeforeValidator(_named)]
AnyRowWeight = Annotated[RowWeight, pydantic.BeforeValidator(_named)]


def without_unused(values: dict[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    """Serialised settings without what has the value that it has where nobody sets it.

    So nothing of an earlier version is made anew.
    """
    return {key: value for key, value in values.items() if key not in names or value != names[key]}
