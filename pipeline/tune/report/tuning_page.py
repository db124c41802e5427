"""A search as one HTML page: what it found, its course, what mattered, and all trials."""

import datetime

from mtlx.components.report.page_environment import page_environment
from mtlx.pipeline.tune.report.findings import DIGITS, findings, seed_range
from mtlx.pipeline.tune.report.tuning_plot import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    by_setting,
    curve,
)
from mtlx.pipeline.tune.space import shown
from mtlx.pipeline.tune.tuning_record import TuningRecord

#: In the search's folder.
PAGE_FILE = "tuning.html"


def tuning_page(record: TuningRecord, command: str | None) -> str:
    """Renders the page; it refers to nothing outside itself and runs no script.

    Args:
        record: of the search.
        command: that judges the best settings on the test split; None where there is none.
    """
    order = {"complete": 0, "running": 1, "pruned": 2, "failed": 3}
    rest = [row for row in record.trials if row.state != "complete"]
    return (
        page_environment("mtlx.pipeline.tune.report")
        .get_template("tuning.html")
        .render(
            record=record,
            command=command,
            created=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
            sentences=findings(record),
            curve=curve(record),
            drawings=by_setting(record),
            rows=[*record.ranked, *sorted(rest, key=lambda row: (order[row.state], row.number))],
            shown=shown,
            seed_range=seed_range,
            digits=DIGITS,
            size={"height": HEIGHT, "left": LEFT, "right": RIGHT, "bottom": HEIGHT - BOTTOM},
        )
    )
