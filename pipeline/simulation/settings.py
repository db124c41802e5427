"""Settings of the simulator."""

import math
from typing import Annotated, Literal

import pydantic

from mtlx.transform.config.settings import Settings

#: The scenarios, in the order of the model's domain index.
DOMAINS = ("home_feed", "search", "product_page")

#: User actions, each after the one before it.
TASKS = ("click", "add_to_cart", "purchase")

_ROWS_PER_USER = 20
_ROWS_PER_ITEM = 100


class SimulationSettings(Settings):
    """What is simulated and how it is written.

    Attributes:
        rows: impressions, spread evenly over the days.
        days: the last one is meant for testing, those before it for training.
        users: number of users; a twentieth of the rows if None.
        items: number of items; a hundredth of the rows if None.
        seed: the same seed gives the same rows, in whatever format and number of shards.
        format: ``csv``, lists joined by ``|``; or ``parquet``, with list columns.
        gzip: compress the CSV files.
        shards: files per day.
        domain_mix: share of each scenario; the shares add up to 1.
        history_length: most recent items kept in each behaviour sequence.
    """

    rows: pydantic.PositiveInt = 200_000
    days: Annotated[int, pydantic.Field(ge=2, le=366)] = 8
    users: pydantic.PositiveInt | None = None
    items: Annotated[int, pydantic.Field(ge=10)] | None = None
    seed: pydantic.NonNegativeInt = 1
    format: Literal["csv", "parquet"] = "csv"
    gzip: bool = False
    shards: pydantic.PositiveInt = 2
    domain_mix: dict[str, Annotated[float, pydantic.Field(ge=0.0, le=1.0)]] = {
        "home_feed": 0.5,
        "search": 0.3,
        "product_page": 0.2,
    }
    history_length: Annotated[int, pydantic.Field(ge=1, le=200)] = 20

    @pydantic.model_validator(mode="after")
    def _check(self) -> "SimulationSettings":
        if self.rows < self.days * self.shards:
            raise ValueError(
                f"rows {self.rows} don't fill {self.days} days of {self.shards} shards: "
                f"give at least {self.days * self.shards} rows"
            )
        if self.gzip and self.format != "csv":
            raise ValueError("gzip is for format csv; Parquet files are compressed in any case")
        if sorted(self.domain_mix) != sorted(DOMAINS):
            raise ValueError(
                f"domain_mix names {', '.join(self.domain_mix) or 'nothing'}; "
                f"give a share for each of {', '.join(DOMAINS)}"
            )
        total = sum(self.domain_mix.values())
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"domain_mix adds up to {total:g}; the shares must add up to 1")
        return self

    @property
    def number_of_users(self) -> int:
        """Users, as set or as follows from the rows."""
        return self.users or max(100, self.rows // _ROWS_PER_USER)

    @property
    def number_of_items(self) -> int:
        """Items, as set or as follows from the rows."""
        return self.items or max(200, self.rows // _ROWS_PER_ITEM)

    def rows_of_day(self, day: int) -> int:
        """Rows of a day, counted from 1; the first days take what does not divide evenly."""
        share, rest = divmod(self.rows, self.days)
        return share + (day <= rest)
