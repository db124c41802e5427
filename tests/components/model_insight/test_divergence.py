"""Features that matter to one task and not to another, out of given importances."""

import numpy as np
import pytest

from mtlx.components.model_insight.insights.divergence import divergence_figures, ranks
from mtlx.components.model_insight.insights.importance import Measured


def _measured(importance, spread=0.0001):
    # Two shufflings around each mean: the standard error is the spread.
    drops = {name: np.array([value - spread, value + spread]) for name, value in importance.items()}
    return Measured(0.7, 100, 10, drops)


CLICK = {"price": 0.0076, "image": 0.0070, "ctr": 0.0054, "orders": 0.00001, "noise": 0.00002}
BUY = {"price": 0.0077, "image": 0.00001, "ctr": 0.0003, "orders": 0.0058, "noise": 0.00003}


def test_ranks_count_from_the_most_important():
    assert ranks(CLICK) == {"price": 1, "image": 2, "ctr": 3, "noise": 4, "orders": 5}


def test_the_list_is_by_the_difference_of_ranks_without_what_is_chance():
    plot, table = divergence_figures({"click": _measured(CLICK), "buy": _measured(BUY)})
    assert [row.head for row in table.rows] == ["image", "orders", "price", "ctr"]
    image = [cell.value for cell in table.rows[0].cells]
    assert image == pytest.approx([CLICK["image"], 2, BUY["image"], 5])
    clear, chance = plot.series
    assert (chance.labels, chance.faint) == (["noise"], True)
    place = clear.points[clear.labels.index("orders")]
    assert place == pytest.approx((CLICK["orders"], BUY["orders"]))
    assert plot.named[0] == "price" and "noise" not in plot.named


def test_of_many_tasks_the_pairs_that_part_most():
    tasks = {"click": CLICK, "same": CLICK, "again": CLICK, "buy": BUY}
    figures = divergence_figures({name: _measured(values) for name, values in tasks.items()})
    assert figures[0].text == "The 3 of 6 pairs of tasks whose ranks differ most."
    plots = [figure.title for figure in figures if figure.kind == "plot"]
    assert plots == ["click and buy", "same and buy", "again and buy"]
    folded = [figure.folded for figure in figures if figure.kind == "table"]
    assert folded == [False, True, True]


def test_where_nothing_is_clear_nothing_is_listed():
    figures = divergence_figures(
        {"click": _measured(CLICK, spread=0.1), "buy": _measured(BUY, spread=0.1)}
    )
    assert [figure.kind for figure in figures] == ["plot", "note"]
    assert figures[1].text == "No feature is clearly important to click or buy."
