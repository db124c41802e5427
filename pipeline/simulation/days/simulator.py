"""Simulates e-commerce impression logs that go on, day after day."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mtlx.pipeline.simulation.actions import (
    CHUNK,
    Actions,
    act,
    acted,
    live_before_the_first_day,
    remember,
    visits,
)
from mtlx.pipeline.simulation.behaviour_history import BehaviourHistory
from mtlx.pipeline.simulation.best_auc import BestAuc
from mtlx.pipeline.simulation.day_writer import DayWriter
from mtlx.pipeline.simulation.days.day_folder import (
    BEST_AUC,
    STATE,
    day_files,
    day_name,
    load_state,
    only_writer,
    save_state,
    write_at_once,
)
from mtlx.pipeline.simulation.days.settings import DailySettings, date_of
from mtlx.pipeline.simulation.days.shop import Shop
from mtlx.pipeline.simulation.days.week import WEEKDAYS, mood, weekday_index
from mtlx.pipeline.simulation.log_columns import log_table, truth_table
from mtlx.pipeline.simulation.output_folder import (
    MANIFEST,
    is_made_from,
    written_whole,
)
from mtlx.pipeline.simulation.preferences import Preferences
from mtlx.pipeline.simulation.settings import TASKS

_FITTING_ROWS = 30_000

# Streams of random numbers beside those of `Shop`.
_TABLES, _FITTING, _PRIOR, _DAYS = range(4, 8)

_CONTENTS = {
    "logs": "impressions by date; behaviour sequences are as of the day's beginning",
    "ground_truth": "the true probabilities of the same rows, by impression_id",
    BEST_AUC: "AUC of the true conditional probabilities on each day; of a click also without the "
    "position, as it is served",
    STATE: "what further days go on from",
    "days": "rates are click of impressions, add_to_cart of clicks, purchase of carts",
}


def simulate_days(
    settings: DailySettings,
    folder: str | Path,
    overwrite: bool = False,
    say: Callable[[str], None] = print,
) -> bool:
    """Writes ``logs/``, ``ground_truth/``, ``best_auc/``, ``state.npz`` and ``simulation.json``.

    Days that the folder holds already are left as they are, those that it lacks are added. Each is
    written whole or not at all: what was interrupted is gone on with.

    Args:
        settings: what to simulate.
        folder: is created; it may exist if it is empty or holds days of the same simulation.
        overwrite: replace a log that other settings made.
        say: is given one line on what was done.

    Returns:
        Whether anything was written.

    Raises:
        FileExistsError: the folder holds something else, or another process adds days to it.
        StateLost: the folder does not hold any more what further days go on from.
    """
    started, folder = time.monotonic(), Path(folder).resolve()
    rows = days = 0
    if not is_made_from(folder, settings.identity(), overwrite):
        with written_whole(folder) as new:
            DailySimulation(settings).write_day(new)
        rows, days = settings.rows_of_day(1), 1
    with only_writer(folder):
        more_rows, more_days = _add_days(settings, folder)
    rows, days = rows + more_rows, days + more_days
    if not days:
        say(f"{folder} holds these {settings.days} days already; nothing to do")
        return False
    last, seconds = date_of(settings.days), time.monotonic() - started
    say(f"Wrote {days} days up to {last:%A}, {last}, {rows:,} rows, to {folder} in {seconds:.1f} s")
    return True


def _add_days(settings: DailySettings, folder: Path) -> tuple[int, int]:
    """Adds what is missing; returns the numbers of rows and of days."""
    arrays, facts = load_state(folder)
    written = len(facts["days"])
    if settings.days <= written:
        return 0, 0
    simulation = DailySimulation(settings, (arrays, facts))
    for _ in range(written, settings.days):
        simulation.write_day(folder)
    return sum(day["rows"] for day in simulation.days[written:]), settings.days - written


class DailySimulation:
    """The state that goes from day to day: who is there, who likes and did what.

    Args:
        settings: of the simulation.
        stored: arrays and facts of a `save_state`; None begins with the first day.

    Attributes:
        days: facts about each day that is over.
    """

    def __init__(
        self,
        settings: DailySettings,
        stored: tuple[dict[str, np.ndarray], dict[str, Any]] | None = None,
    ) -> None:
        self._settings, self._shop = settings, Shop(settings)
        self.days: list[dict[str, Any]] = []
        shop = self._shop
        self._histories = {
            task: BehaviourHistory(settings.number_of_users, settings.history_length)
            for task in TASKS
        }
        self._preferences = Preferences(shop.users, shop.items, self._rng(_TABLES))
        if stored is None:
            self._begin()
            return
        arrays, facts = stored
        self.days = facts["days"]
        self._preferences.intercepts = arrays["intercepts"]
        for task in TASKS:
            self._histories[task].items = arrays[f"{task}_history"]
        for _ in self.days:
            self._shop.next_day()
        self._grow()

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self._settings.seed, *stream])

    def _begin(self) -> None:
        """Fits the intercepts, and gives the first users a past."""
        shop, preferences = self._shop, self._preferences
        self._fit_intercepts()
        live_before_the_first_day(
            preferences, shop.users, shop.items, shop.mix, self._histories, self._rng(_PRIOR)
        )
        self._fit_intercepts()

    def _fit_intercepts(self) -> None:
        shop = self._shop
        seen = visits(shop.users, shop.items, shop.mix, _FITTING_ROWS, self._rng(_FITTING))
        self._preferences.fit_intercepts(seen, self._histories)

    def _grow(self) -> None:
        for history in self._histories.values():
            history.grow(len(self._shop.users.age))

    def write_day(self, folder: Path) -> None:
        """Simulates the next day and adds it to the folder, with the state after it.

        Args:
            folder: exists.
        """
        day = self._shop.day
        with day_files(folder, day) as new:
            facts = self._live(day, new)
        self.days.append(facts)
        self._shop.next_day()
        arrays = {f"{task}_history": self._histories[task].items for task in TASKS}
        self._grow()
        save_state(
            folder, arrays | {"intercepts": self._preferences.intercepts}, {"days": self.days}
        )
        manifest = {"settings": self._settings.identity(), "days": self.days, "contents": _CONTENTS}
        write_at_once(folder / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())

    def _live(self, day: int, folder: Path) -> dict[str, Any]:
        """Writes a day's files; its actions enter the histories at its end."""
        shop, rows = self._shop, self._settings.rows_of_day(day)
        preferences = self._preferences.of_day(shop.users, shop.items, shop.tables)
        best, counts = BestAuc(), np.zeros(1 + len(TASKS))
        actions: list[Actions] = []
        first_key = 1 + sum(day["rows"] for day in self.days)
        with DayWriter(folder, day, self._settings, day_name(day)) as writer:
            for chunk, start in enumerate(range(0, rows, CHUNK)):
                stop = min(start + CHUNK, rows)
                rng, part = self._rng(_DAYS, day, chunk), (start / rows, stop / rows)
                seen = visits(shop.users, shop.items, shop.mix, stop - start, rng, part)
                category = shop.items.category[seen.item]
                shift = mood(day, self._settings.weekly, shop.leisure, category)
                truth = preferences.probabilities(seen, self._histories, shift)
                labels = act(truth.conditional, rng)
                key = first_key + start
                log = log_table(key, day, seen, shop.users, shop.items, self._histories, labels)
                writer.write(_with_weekday(log, day), truth_table(key, truth))
                actions.append(acted(seen, labels))
                counts += [len(labels), *labels.sum(axis=0)]
                best.add(truth, labels, seen.domain)
        remember(self._histories, actions)
        (folder / BEST_AUC).mkdir()
        text = json.dumps(best.result(), indent=2) + "\n"
        (folder / BEST_AUC / f"{day_name(day)}.json").write_text(text, encoding="utf-8")
        rates = counts[1:] / np.maximum(counts[:-1], 1)
        return {
            "day": day,
            "date": date_of(day).isoformat(),
            "weekday": WEEKDAYS[weekday_index(day)],
            "rows": rows,
            "items_ever": len(shop.items.price),
            "users_ever": len(shop.users.age),
            "rates": {task: round(float(rate), 5) for task, rate in zip(TASKS, rates, strict=True)},
        }


def _with_weekday(log: pa.Table, day: int) -> pa.Table:
    """Adds the column behind the hour."""
    names = pa.array([WEEKDAYS[weekday_index(day)]] * len(log), pa.string())
    return log.add_column(log.schema.get_field_index("hour") + 1, "weekday", names)
