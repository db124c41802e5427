"""Settings of the simulator of days."""

import datetime
from typing import Annotated, Any, Literal

import pydantic

from mtlx.pipeline.simulation.days.week import traffic
from mtlx.pipeline.simulation.impressions import FIRST_MIDNIGHT, SECONDS_PER_DAY
from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.transform.config.settings import Settings

#: Raised whenever the same settings give other rows, so that old logs are not taken for new.
VERSION = 2

#: Days of a simulation without `days`, whose population the defaults are taken from.
_PLAIN_DAYS = 8

_Share = Annotated[float, pydantic.Field(ge=0.0, le=0.5)]


class DailySettings(Settings):
    """What a shop's days are like, and how they are written.

    A day's rows depend on all of this but `days`, `format`, `gzip` and `shards`.

    Attributes:
        days: how many, from Monday, 2024-01-01 on.
        rows_per_day: impressions of an average day; `weekly` makes a day's more or fewer.
        drift: how fast preferences wander: the share of a day's step in the deviation of what
            wanders. A day later they correlate by ``sqrt(1 - drift²)`` with what they were; 0
            keeps them for good.
        new_items: share of the items on sale that others replace each night.
        new_users: share of the users that others replace each night.
        weekly: strength of the weekly rhythm in traffic and behaviour; 0 is none.
        users: number of users at a time; a twentieth of the rows of eight days if None.
        items: number of items on sale at a time; a hundredth of the rows of eight days if None.
        seed: the same seed gives the same rows, in whatever format and number of shards.
        format: ``csv``, lists joined by ``|``; or ``parquet``, with list columns.
        gzip: compress the CSV files.
        shards: files per day.
        domain_mix: share of each scenario; the shares add up to 1.
        history_length: most recent items kept in each behaviour sequence.
    """

    days: Annotated[int, pydantic.Field(ge=1, le=3660)] = 14
    rows_per_day: pydantic.PositiveInt = 25_000
    drift: Annotated[float, pydantic.Field(ge=0.0, le=1.0)] = 0.2
    new_items: _Share = 0.02
    new_users: _Share = 0.02
    weekly: Annotated[float, pydantic.Field(ge=0.0, le=3.0)] = 1.0
    users: pydantic.PositiveInt | None = None
    items: Annotated[int, pydantic.Field(ge=10)] | None = None
    seed: pydantic.NonNegativeInt = 1
    format: Literal["csv", "parquet"] = "csv"
    gzip: bool = False
    shards: pydantic.PositiveInt = 2
    domain_mix: dict[str, float] = SimulationSettings.model_fields["domain_mix"].default
    history_length: Annotated[int, pydantic.Field(ge=1, le=200)] = 20

    @pydantic.model_validator(mode="after")
    def _check(self) -> "DailySettings":
        fewest = min(self.rows_of_day(day) for day in range(1, 8))
        if fewest < self.shards:
            raise ValueError(
                f"rows_per_day {self.rows_per_day} leaves a day with {fewest} rows, which don't "
                f"fill {self.shards} shards: give more rows, or fewer shards"
            )
        # What both simulators have, they check alike.
        SimulationSettings(
            rows=self.rows_per_day * _PLAIN_DAYS * self.shards,
            format=self.format,
            gzip=self.gzip,
            shards=self.shards,
            domain_mix=self.domain_mix,
        )
        return self

    @property
    def number_of_users(self) -> int:
        """Users at a time, as set or as follows from the rows."""
        return self._plain.number_of_users

    @property
    def number_of_items(self) -> int:
        """Items on sale at a time, as set or as follows from the rows."""
        return self._plain.number_of_items

    @property
    def _plain(self) -> SimulationSettings:
        """The simulation without days whose population is as large."""
        rows = self.rows_per_day * _PLAIN_DAYS
        return SimulationSettings(rows=max(rows, 16), users=self.users, items=self.items)

    def rows_of_day(self, day: int) -> int:
        """Rows of a day, counted from 1."""
        return round(self.rows_per_day * traffic(day, self.weekly))

    def identity(self) -> dict[str, Any]:
        """All that decides what is written on a day, with the defaults filled in."""
        values = self.model_dump(mode="json", exclude={"days"})
        values |= {"users": self.number_of_users, "items": self.number_of_items}
        return {"daily_version": VERSION, **values}


def date_of(day: int) -> datetime.date:
    """The date of a day, counted from 1."""
    midnight = FIRST_MIDNIGHT + (day - 1) * SECONDS_PER_DAY
    return datetime.datetime.fromtimestamp(midnight, datetime.timezone.utc).date()
