"""Settings of the log ExampleGen: the `data` section."""

import datetime
import difflib
import math
import re
import zoneinfo
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic

from mtlx.components.log_example_gen.joins.join_settings import JoinSettings, join_problems
from mtlx.components.log_example_gen.spans.span_marks import has_span, is_date
from mtlx.components.log_example_gen.spans.window_settings import SpanSplit, WindowSettings
from mtlx.components.log_example_gen.values.instants import instant
from mtlx.components.log_example_gen.values.unix_time import unit
from mtlx.transform.config.settings import Settings
from mtlx.transform.contract.rows.condition import Condition
from mtlx.transform.contract.rows.weight import AnyRowWeight, without_unused


def _date_as_text(value: Any) -> Any:
    """YAML turns an unquoted date into an object; columns hold text."""
    return value.isoformat() if isinstance(value, datetime.date) else value


def _no_truth_value(value: Any) -> Any:
    """Else true would be the number 1."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError(f"should be a number (Unix time) or a date or time. Received: {value!r}")
    return value


Boundary = Annotated[
    int | float | str,
    pydantic.BeforeValidator(_date_as_text),
    pydantic.BeforeValidator(_no_truth_value),
]
Share = Annotated[float, pydantic.Field(ge=0.0, lt=1.0)]
Patterns = Annotated[list[str], pydantic.Field(min_length=1)]


class _WithoutValidationRows(Settings):
    """A split that may not name its validation rows; they are then drawn by hash.

    Attributes:
        validation_share: share of the rows of `validation_of` that validates.
        validation_of: ``train``, or ``test`` where the training rows shall stay whole.
        validation_key: feature or column whose rows stay together (say the user's id); each row
            on its own if None.
        seed: of the hash.
    """

    validation_share: Share = 0.1
    validation_of: Literal["train", "test"] = "train"
    validation_key: str | None = None
    seed: int = 1


class FileSplit(_WithoutValidationRows):
    """By file: glob patterns that match the ends of file paths, from a folder boundary on.

    Attributes:
        train, test: patterns; a file that matches none is refused.
        validation: patterns; None draws rows, see `validation_share`.
    """

    by: Literal["file"]
    train: Patterns
    test: Patterns
    validation: Patterns | None = None


class TimeSplit(_WithoutValidationRows):
    """By time: rows before a boundary train, later ones test, those at its very instant too.

    Attributes:
        column: with numbers (Unix time in any unit), with dates or timestamps, or with texts in
            ISO 8601, whose offsets may differ. A row without a time is malformed.
        test_from: first time of the test split: a number in the unit of the column, or a date or
            time in ISO 8601 for the others.
        validation_from: first time of the validation split; None draws rows.
        time_zone: of texts, timestamps, dates and boundaries without an offset:
            ``Europe/Berlin``. Of an hour that the clocks show twice it is the first.
    """

    by: Literal["time"]
    column: str
    test_from: Boundary
    validation_from: Boundary | None = None
    time_zone: str = "UTC"

    @pydantic.field_validator("time_zone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            zones = zoneinfo.available_timezones()
            near = difflib.get_close_matches(value, zones, n=3)
            raise ValueError(
                f"no time zone {value!r}; did you mean {', '.join(near) or 'Europe/Berlin'}?"
                if zones
                else f"no time zone {value!r}: this machine has none; install the package tzdata"
            ) from error
        return value

    @pydantic.model_validator(mode="after")
    def _in_order(self) -> "TimeSplit":
        boundaries = {"validation_from": self.validation_from, "test_from": self.test_from}
        given = {key: value for key, value in boundaries.items() if value is not None}
        if len({isinstance(value, str) for value in given.values()}) > 1:
            raise ValueError("give validation_from and test_from both as text or both as numbers")
        times = {}
        for key, value in given.items():
            try:
                times[key] = instant(value, self.time_zone) if isinstance(value, str) else value
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from error
        if len({unit(value) for value in given.values() if not isinstance(value, str)}) > 1:
            raise ValueError(
                "give validation_from and test_from in one unit. Received: "
                f"{self.validation_from!r} and {self.test_from!r}"
            )
        if times.get("validation_from", -math.inf) >= times["test_from"]:
            raise ValueError(
                f"validation_from should lie before test_from ({self.test_from!r}). "
                f"Received: {self.validation_from!r}"
            )
        return self


class _Shares(Settings):
    """Shares of the three splits, which add up to 1.

    Attributes:
        train, validation, test: shares of the rows, or of the keys.
        seed: of the draw.
    """

    train: Share = 0.8
    validation: Share = 0.1
    test: Share = 0.1
    seed: int = 1

    @pydantic.model_validator(mode="after")
    def _whole(self) -> "_Shares":
        total = self.train + self.validation + self.test
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"train, validation and test should add up to 1. Received: {total:g}")
        return self


class HashSplit(_Shares):
    """By hash of a key, say the user's id: all rows of a key are in one split.

    Attributes:
        of: the feature or column.
    """

    by: Literal["hash"]
    of: str


class RowSplit(_Shares):
    """By position in the whole input, in the order of files and rows.

    Attributes:
        shuffle: draw each row's split at random (by the seed and its position) instead of
            cutting the input into three pieces.
    """

    by: Literal["row"]
    shuffle: bool = False


Split = Annotated[
    FileSplit | TimeSplit | HashSplit | RowSplit | SpanSplit, pydantic.Field(discriminator="by")
]


Span = Annotated[int | str, pydantic.BeforeValidator(_date_as_text)]
_UNIX_EPOCH = datetime.date(1970, 1, 1)


def span_number(span: int | str) -> int:
    """Number of a portion of the logs; a date's is its days since 1970, as TFX counts.

    Raises:
        ValueError: neither a whole number from 0 to 2147483647 nor a date YYYY-MM-DD.
    """
    text = str(span)
    if re.fullmatch(r"[0-9]{1,10}", text) and int(text) < 2**31:
        return int(text)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            days = (datetime.date.fromisoformat(text) - _UNIX_EPOCH).days
        except ValueError as error:
            raise ValueError(f"span: there is no such date: {span!r} ({error})") from error
        if days >= 0:
            return days
    raise ValueError(
        "span should be a whole number from 0 on, or a date YYYY-MM-DD from 1970 on. "
        f"Received: {span!r}"
    )


#: What was not there in earlier versions, with what it is where nobody sets it.
_UNUSED: dict[str, Any] = {"weight": None, "where": [], "join": []}


class DataSettings(Settings):
    """What the logs are and which rows train, validate and test.

    Attributes:
        reader: registered name: ``csv``, ``parquet``, or that of a data set.
        path: files, folders (best with ``/`` at the end) or glob patterns. ``{SPAN}`` (or
            ``{SPAN:WIDTH}``, or all of ``{YYYY}``, ``{MM}``, ``{DD}``) stands for the number or
            date of a portion of the logs, of which a run reads one.
        span: which portion: a number, or a date (YYYY-MM-DD); None reads the latest. With a
            window: the newest one.
        window: how many portions train and how many, the newest, test; each is read and
            described once, whatever runs it is part of. None: a run reads one portion, or all
            files.
        gaps: what becomes of a run where the logs lack a portion within its window: ``refuse``
            stops it before anything is read, ``allow`` goes on without, and says so.
        options: the reader's options.
        split: which rows go where; with a window ``{by: span}``, which may be left out.
        max_malformed_share: the run stops where a larger share of the rows is malformed.
        missing_label: what becomes of a row without a label: ``refuse`` stops the run,
            ``quarantine`` counts it among the malformed ones.
        serving_path: logs of what was served, with features and scores, as `path` names logs; the
            section `skew` says what they hold. None: nothing is compared with what was served.
        weight: column with what a row counts for: in losses, in the choice of the epoch, in all
            metrics and their intervals. None for 1. Or ``{column: NAME, clip: NUMBER,
            half_life_spans: NUMBER}``. A task's own `weight` comes on top.
        where: conditions that a row has to meet, all of them, to be taken over; the others are
            counted as filtered, whatever else is wrong with them. A row without a value of the
            column does not meet one. Rows that are only scored are not filtered.
        join: tables whose columns rows get by a key, one after the other. Who asks the served
            model, and who scores logs, gives these columns as all others.
    """

    reader: str = "csv"
    path: Patterns
    span: Span | None = None
    window: WindowSettings | None = None
    gaps: Literal["refuse", "allow"] = "refuse"
    options: dict[str, Any] = {}
    split: Split
    max_malformed_share: Share = 0.001
    missing_label: Literal["refuse", "quarantine"] = "refuse"
    serving_path: Patterns | None = None
    weight: AnyRowWeight | None = None
    where: list[Condition] = []
    join: list[JoinSettings] = []

    @pydantic.model_serializer(mode="wrap")
    def _as_before(self, serialize: pydantic.SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what is not used, so that nothing of an earlier version is made anew."""
        return without_unused(serialize(self), _UNUSED)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _window_is_split_by_span(cls, value: Any) -> Any:
        """With a window there is one way to split."""
        if isinstance(value, Mapping) and value.get("window") and "split" not in value:
            return {**value, "split": {"by": "span"}}
        return value

    @pydantic.field_validator("path", "serving_path", mode="before")
    @classmethod
    def _one_path_is_a_list_of_one(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @pydantic.field_validator("span")
    @classmethod
    def _is_a_span(cls, value: int | str | None) -> int | str | None:
        if value is not None:
            span_number(value)
        return value

    @pydantic.model_validator(mode="after")
    def _span_has_a_place(self) -> "DataSettings":
        patterns = [*self.path, *getattr(self.split, "train", ())] if _by_file(self) else self.path
        if self.span is not None and not any("{" in pattern for pattern in patterns):
            raise ValueError(
                f"span is {self.span!r}, but no data.path has {{SPAN}} in it, for example "
                "/data/logs/span={SPAN}/*.csv"
            )
        return self

    @pydantic.model_validator(mode="after")
    def _window_is_whole(self) -> "DataSettings":
        problems = []
        if self.window is not None:
            problems += [
                f"window needs a place for the span in every data.path, such as "
                f"/data/logs/day={{YYYY}}-{{MM}}-{{DD}}/*.csv or /data/logs/span={{SPAN}}/*.csv. "
                f"Received: {path!r}"
                for path in self.path
                if not has_span(path)
            ]
            if not isinstance(self.split, SpanSplit):
                problems.append(
                    "window decides which spans train and test: leave data.split out, or set it "
                    f"to {{by: span}}. Received: {{by: {self.split.by}, ...}}"
                )
        elif "gaps" in self.model_fields_set and self.gaps == "allow":
            problems.append("gaps: allow is about the spans of data.window, which is not set")
        if self.window is None and self.weight is not None and self.weight.half_life_spans:
            problems.append(
                "weight.half_life_spans is counted in spans of data.window, which is not set: set "
                "it, say to {train: 7, test: 1}, or leave half_life_spans out"
            )
        problems += join_problems(self.join)
        problems += self._serving_problems()
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _serving_problems(self) -> list[str]:
        """Places for the span in the serving logs' paths."""
        paths = self.serving_path or []
        marked = [path for path in paths if has_span(path)]
        if self.window is not None and len(marked) < len(paths):
            return [
                "serving_path needs a place for the span, as data.path has it, such as "
                "/serving/logs/day={YYYY}-{MM}-{DD}/*.parquet. Received: "
                + ", ".join(repr(path) for path in paths if path not in marked)
            ]
        if marked and len(marked) < len(paths):
            return ["serving_path: give all of its entries a place for the span, or none"]
        if marked and not all(has_span(path) for path in self.path):
            return [
                f"serving_path has a place for the span, and data.path has none that would tell "
                f"which one it is. Received: {marked[0]!r}"
            ]
        if marked and is_date(marked) != is_date(self.path):
            return [
                "serving_path and data.path name their spans in different ways: both by {SPAN}, "
                f"or both by {{YYYY}}-{{MM}}-{{DD}}. Received: {marked[0]!r} and {self.path[0]!r}"
            ]
        return []


def _by_file(data: DataSettings) -> bool:
    return isinstance(data.split, FileSplit)
