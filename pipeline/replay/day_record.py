"""What a replay notes of a day."""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlx.pipeline.run.record.run_summary import Interval

#: File in the replay's folder: all numbers, and what a later call goes on from.
RECORD_FILE = "replay.json"

#: The models whose AUC is measured on a day's test rows.
TODAY, YESTERDAY, OLDER, FIRST = "today", "yesterday", "older", "first"


@dataclasses.dataclass(frozen=True)
class DayRecord:
    """One day of one way.

    Attributes:
        span: the newest span of the day's run, which tests.
        outcome: how the run ended, and what the gate did: ``blessed, pushed``.
        message: why it failed, or what the gate held against the model; empty otherwise.
        model: URI of the day's model; None where it failed.
        trained_on: spans that its own training read.
        auc: by model, ``today`` (trained for this day), ``yesterday``, ``older`` (of two weeks
            ago, or the first) and ``first``; by task value and interval, on the day's test rows.
        best: the best possible AUC by task, where the experiment knows it.
        seconds: of all nodes.
        nodes: seconds by node.
        rows: that were ingested.
        last_run: id of the day's last run.
        last_examples: number of the last Examples artifact by then.
    """

    span: int
    outcome: str
    message: str = ""
    model: str | None = None
    trained_on: tuple[int, ...] = ()
    auc: Mapping[str, Mapping[str, Interval]] = dataclasses.field(default_factory=dict)
    best: Mapping[str, float] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0
    nodes: Mapping[str, float] = dataclasses.field(default_factory=dict)
    rows: int = 0
    last_run: str = ""
    last_examples: int = 0

    def value(self, model: str, task: str) -> float | None:
        """AUC of a model in a task; None where it was not measured."""
        return self.auc.get(model, {}).get(task, (None, None, None))[0]

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> "DayRecord":
        """Of what JSON gives back."""
        return cls(**{**values, "trained_on": tuple(values["trained_on"])})


@dataclasses.dataclass
class ReplayRecord:
    """A replay, as far as it came.

    Attributes:
        experiment: its name.
        date: whether a span's number is that of a day.
        tasks: names.
        settings: digest of the experiment by way, so that only the same one is gone on with.
        days: by way, in the order of the spans.
        stale: whether the first day's model is among what is compared.
    """

    experiment: str
    date: bool
    tasks: tuple[str, ...]
    settings: dict[str, str] = dataclasses.field(default_factory=dict)
    days: dict[str, list[DayRecord]] = dataclasses.field(default_factory=dict)
    stale: bool = False

    def write(self, folder: Path) -> None:
        """Writes all of it, whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f"{RECORD_FILE}.new"
        temporary.write_text(json.dumps(dataclasses.asdict(self), indent=1), encoding="utf-8")
        os.replace(temporary, folder / RECORD_FILE)

    @classmethod
    def read(cls, folder: Path) -> "ReplayRecord | None":
        """Inverse of `write`; None where there is none.

        Raises:
            ValueError: it cannot be read.
        """
        path = folder / RECORD_FILE
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            days = {
                way: [DayRecord.of_values(day) for day in found]
                for way, found in values["days"].items()
            }
            return cls(**{**values, "days": days, "tasks": tuple(values["tasks"])})
        except FileNotFoundError:
            return None
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} cannot be read ({error}): give another --out") from error
