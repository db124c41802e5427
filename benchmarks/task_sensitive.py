"""What DTN's three settings of the task-sensitive network are worth on planted chains.

    python -m benchmarks.task_sensitive                     # both tables, half an hour
    python -m benchmarks.task_sensitive --chain same        # one kind of chain

A click happens on about 5 % or 30 % of the rows, a conversion on some of the clicks. A conversion
hangs on the combination of ids that clicks hang on (``same``), on one of its own (``apart``), or on
one of its own that counts as much as a click is likely (``scaled``). Each cell has the conversion's
test AUC by seed, of the epoch of six that is best on validation rows; both are 20,000 clicks.
``narrow`` has modules of width 2 instead of 16. ``withheld`` shows one kind of shared module to the
click and the other one to the conversion, so that nothing which learns from rows without a click
reaches a conversion but by the click's own modules (and the embeddings). Three tasks: what is
bought of the carts hangs on what clicks hang on, and carts do not.
"""

import argparse
import statistics
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.planted_sequences import Columns
from benchmarks.planted_tasks import ChainLearning, PlantedChain, combination

RATES = (0.05, 0.3)
SETTINGS = ("full", "unscaled", "off")
EPOCHS = 6
_MODEL = {
    "interactions": [{"name": "gdcn"}, {"name": "masknet", "options": {"aggregation": 32}}],
    "units": 16,
    "tower_hidden": [16],
}
#: The shared modules that a conversion sees are none of the click's.
_WITHHELD = {"dropped": {"click": ["shared/masknet"], "conversion": ["shared/gdcn"]}}


def _of_clicks(columns: Columns, _: Columns) -> Any:
    return 1.2 * combination("a", "user", "item", columns)


def _of_its_own(columns: Columns, _: Columns) -> Any:
    return 1.2 * combination("b", "user", "context", columns)


def _scaled(columns: Columns, earlier: Columns) -> Any:
    factor = earlier["click"] / earlier["click"].mean()
    return factor * combination("h", "item", "context", columns)


#: What a conversion hangs on.
CHAINS = {"same": _of_clicks, "apart": _of_its_own, "scaled": _scaled}


def chain(kind: str, rate: float) -> PlantedChain:
    """Clicks at a rate, and conversions of 30 % of them."""
    logits = {"click": _of_clicks, "conversion": CHAINS[kind]}
    return PlantedChain(logits, {"click": rate, "conversion": 0.3})


def three_tasks() -> PlantedChain:
    """Clicks and purchases hang on one combination, the carts between them on another."""
    logits = {"click": _of_clicks, "cart": _of_its_own, "buy": _of_clicks}
    return PlantedChain(logits, {"click": 0.3, "cart": 0.4, "buy": 0.3})


def main() -> None:
    """Prints each row, and the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chain", nargs="*", choices=CHAINS, default=list(CHAINS), help="of two")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    console = Console(width=150)
    tables = [_two_tasks(console, arguments.chain, arguments.seeds)]
    if arguments.chain == list(CHAINS):
        tables.append(_three_tasks(console, arguments.seeds))
    for table in tables:
        console.print(table)


def _two_tasks(console: Console, kinds: list[str], seeds: list[int]) -> Table:
    table = Table("conversion", "clicks", "best possible", *SETTINGS, title="Two tasks")
    for kind in kinds:
        rows: dict[str, dict[str, Any]] = {kind: {}}
        if kind == "same":
            rows.update({"same, narrow": {"units": 2}, "same, withheld": _WITHHELD})
        for name, options in rows.items():
            for rate in RATES:
                settings = [{**options, "task_sensitive": setting} for setting in SETTINGS]
                best, cells = _cells(chain(kind, rate), "conversion", settings, seeds)
                console.print(name, rate, best, *cells)
                table.add_row(name, f"{rate:.0%}", best, *cells)
    return table


def _three_tasks(console: Console, seeds: list[int]) -> Table:
    heads = ("preceding", "all", "off")
    table = Table("shared modules", "best possible", *heads, title="Three tasks, unscaled")
    settings = (
        {"task_sensitive": "unscaled"},
        {"task_sensitive": "unscaled", "other_tasks": "all"},
        {"task_sensitive": "off"},
    )
    hidden = {"click": ["shared/masknet"], "cart": ["shared/masknet"], "buy": ["shared/gdcn"]}
    for name, options in (("seen", {}), ("withheld", {"dropped": hidden})):
        given = [{**options, **setting} for setting in settings]
        best, cells = _cells(three_tasks(), "buy", given, seeds)
        console.print(name, best, *cells)
        table.add_row(name, best, *cells)
    return table


def _cells(
    planted: PlantedChain, task: str, settings: list[dict[str, Any]], seeds: list[int]
) -> tuple[str, list[str]]:
    """The best possible AUC; by settings, the test AUC of each seed, and their mean."""
    cells = []
    for options in settings:
        aucs = []
        for seed in seeds:
            learning = ChainLearning(planted, "dtn", {**_MODEL, **options}, task, seed=seed)
            aucs.append(max(learning.epoch() for _ in range(EPOCHS))[1])
        by_seed = " ".join(f"{auc:.3f}" for auc in aucs)
        cells.append(f"{by_seed} ({statistics.mean(aucs):.3f})")
    return f"{learning.best():.3f}", cells


if __name__ == "__main__":
    main()
