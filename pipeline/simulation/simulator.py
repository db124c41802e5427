"""Simulates e-commerce impression logs, day by day, with their true probabilities."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mtlx.pipeline.simulation.actions import (
    CHUNK,
    act,
    acted,
    live_before_the_first_day,
    remember,
    visits,
)
from mtlx.pipeline.simulation.behaviour_history import BehaviourHistory
from mtlx.pipeline.simulation.best_auc import BestAuc
from mtlx.pipeline.simulation.day_writer import DayWriter
from mtlx.pipeline.simulation.impressions import Impressions
from mtlx.pipeline.simulation.log_columns import log_table, truth_table
from mtlx.pipeline.simulation.output_folder import is_made_from, write_manifest, written_whole
from mtlx.pipeline.simulation.population import draw_items, draw_users
from mtlx.pipeline.simulation.preferences import Preferences
from mtlx.pipeline.simulation.settings import DOMAINS, TASKS, SimulationSettings

#: Raised whenever the same settings give other rows, so that old logs are not taken for new.
VERSION = 3

BEST_AUC = "best_auc.json"

_FITTING_ROWS = 30_000

# Streams of random numbers that never meet, whatever the number of rows.
_USERS, _ITEMS, _TABLES, _FITTING, _PRIOR, _DAYS = range(6)


def simulate(
    settings: SimulationSettings,
    folder: str | Path,
    overwrite: bool = False,
    say: Callable[[str], None] = print,
) -> bool:
    """Writes ``logs/``, ``ground_truth/``, ``best_auc.json`` and ``simulation.json``.

    The folder is written whole or not at all. One that these settings made before is left as it
    is.

    Args:
        settings: what to simulate.
        folder: is created; it may exist if it is empty or holds a simulated log.
        overwrite: replace a log that other settings made.
        say: is given one line on what was done.

    Returns:
        Whether anything was written.

    Raises:
        FileExistsError: the folder holds something else.
    """
    started, folder = time.monotonic(), Path(folder).resolve()
    identity = _identity(settings)
    if is_made_from(folder, identity, overwrite):
        say(f"{folder} holds these logs already; nothing to do")
        return False
    with written_whole(folder) as new:
        simulation = _Simulation(settings)
        for day in range(1, settings.days + 1):
            simulation.write_day(day, new)
        best = json.dumps(simulation.best_auc.result(), indent=2)
        (new / BEST_AUC).write_text(best + "\n", encoding="utf-8")
        rates = simulation.rates()
        write_manifest(new, identity, rates=rates, contents=_CONTENTS)
    shares = ", ".join(f"{task} {rate:.1%}" for task, rate in rates.items())
    seconds = time.monotonic() - started
    say(f"Wrote {settings.rows:,} rows to {folder} in {seconds:.1f} s ({shares})")
    return True


_CONTENTS = {
    "logs": "impressions by day; behaviour sequences are as of the day's beginning",
    "ground_truth": "the true probabilities of the same rows, by impression_id",
    BEST_AUC: "AUC of the true conditional probabilities on the last day; of a click also without "
    "the position, as it is served",
    "rates": "click of impressions, add_to_cart of clicks, purchase of carts",
}


def _identity(settings: SimulationSettings) -> dict[str, Any]:
    """All that decides what is written, with the defaults filled in."""
    values = settings.model_dump(mode="json")
    values |= {"users": settings.number_of_users, "items": settings.number_of_items}
    return {"version": VERSION, **values}


class _Simulation:
    """The state that goes from day to day: who did what."""

    def __init__(self, settings: SimulationSettings):
        self._settings = settings
        self._mix = np.array([settings.domain_mix[name] for name in DOMAINS])
        self._users = draw_users(settings.number_of_users, self._rng(_USERS))
        self._items = draw_items(settings.number_of_items, self._rng(_ITEMS))
        self._histories = {
            task: BehaviourHistory(settings.number_of_users, settings.history_length)
            for task in TASKS
        }
        self._preferences = Preferences(self._users, self._items, self._rng(_TABLES))
        self._fit_intercepts()
        live_before_the_first_day(
            self._preferences,
            self._users,
            self._items,
            self._mix,
            self._histories,
            self._rng(_PRIOR),
        )
        self._fit_intercepts()
        self._counts = np.zeros(1 + len(TASKS))
        self._rows = 0
        self.best_auc = BestAuc()

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng([self._settings.seed, *stream])

    def _draw(
        self, count: int, rng: np.random.Generator, part_of_day: tuple[float, float] = (0.0, 1.0)
    ) -> Impressions:
        return visits(self._users, self._items, self._mix, count, rng, part_of_day)

    def _fit_intercepts(self) -> None:
        seen = self._draw(_FITTING_ROWS, self._rng(_FITTING))
        self._preferences.fit_intercepts(seen, self._histories)

    def write_day(self, day: int, folder: Path) -> None:
        """Simulates and writes a day; its actions enter the histories at its end."""
        rows = self._settings.rows_of_day(day)
        actions = []
        with DayWriter(folder, day, self._settings) as writer:
            for chunk, start in enumerate(range(0, rows, CHUNK)):
                stop = min(start + CHUNK, rows)
                rng = self._rng(_DAYS, day, chunk)
                seen = self._draw(stop - start, rng, (start / rows, stop / rows))
                truth = self._preferences.probabilities(seen, self._histories)
                labels = act(truth.conditional, rng)
                key = self._rows + start + 1
                log = log_table(key, day, seen, self._users, self._items, self._histories, labels)
                writer.write(log, truth_table(key, truth))
                actions.append(acted(seen, labels))
                self._counts += [len(labels), *labels.sum(axis=0)]
                if day == self._settings.days:
                    self.best_auc.add(truth, labels, seen.domain)
        self._rows += rows
        remember(self._histories, actions)

    def rates(self) -> dict[str, float]:
        """Share of the rows of its population on which each task's label is 1."""
        shares = self._counts[1:] / np.maximum(self._counts[:-1], 1)
        return {task: round(float(share), 5) for task, share in zip(TASKS, shares, strict=True)}
