"""Settings of the report: the `report` section of the experiment file."""

import pydantic

from mtlx.transform.config.settings import Settings


class ReportSettings(Settings):
    """What the report shows beyond the run's own results.

    Attributes:
        best_possible: JSON file ``{task: {slice: auc}}`` with the AUC that a model would reach
            that knew the true probabilities (simulated logs have one); None where nobody knows. A
            path with marks of a span, as in `data.path`, is that of the span that is tested on.
        title: of the page; the run's name if None.
        max_cross_slices_shown: of slices by two or more features, the largest so many are shown
            per cross; the rest is in the evaluation's files.
    """

    best_possible: str | None = None
    title: str | None = None
    max_cross_slices_shown: pydantic.PositiveInt = 50
