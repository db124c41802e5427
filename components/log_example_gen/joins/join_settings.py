"""Settings of a join: `data.join`."""

from typing import Annotated, Any, Literal

import pydantic

from mtlx.transform.config.settings import Settings

#: What becomes of a row whose key the table lacks.
MissingKey = Literal["keep", "quarantine", "refuse"]


class JoinSettings(Settings):
    """A table whose columns every row of the log gets, by a key.

    Attributes:
        path: the table's files, as `data.path`.
        key: column of the log, or one that an earlier join gives.
        table_key: column of the table that holds the same; None where it is called as `key`.
        columns: of the table, that rows get; the log's own of these names are not read.
        reader: registered name of the table's reader.
        options: its options.
        missing_key: what becomes of a row whose key is missing or not in the table: ``keep`` lets
            its columns be missing, ``quarantine`` counts it among the malformed rows, ``refuse``
            stops the run. All are counted.
    """

    path: Annotated[list[str], pydantic.Field(min_length=1)]
    key: str
    table_key: str | None = None
    columns: Annotated[list[str], pydantic.Field(min_length=1)]
    reader: str = "csv"
    options: dict[str, Any] = {}
    missing_key: MissingKey = "keep"

    @pydantic.field_validator("path", mode="before")
    @classmethod
    def _one_path_is_a_list_of_one(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @pydantic.model_validator(mode="after")
    def _columns_are_others(self) -> "JoinSettings":
        if self.key in self.columns:
            raise ValueError(f"columns has {self.key!r}, the key, which rows have already")
        twice = [name for name in self.columns if self.columns.count(name) > 1]
        if twice:
            raise ValueError(f"columns has {twice[0]!r} twice")
        return self

    @property
    def key_in_table(self) -> str:
        """The table's name of the key."""
        return self.table_key or self.key


def join_problems(joins: list[JoinSettings]) -> list[str]:
    """Columns that two joins would give, and keys that only a later one gives."""
    problems = []
    for place, join in enumerate(joins):
        for earlier in joins[:place]:
            both = [column for column in join.columns if column in earlier.columns]
            if both:
                problems.append(
                    f"join: {both[0]!r} comes from two tables, by {earlier.key!r} and by "
                    f"{join.key!r}: take it out of one"
                )
        if any(join.key in later.columns for later in joins[place + 1 :]):
            problems.append(
                f"join: the key {join.key!r} comes from a later join: name that one before it"
            )
    return problems
