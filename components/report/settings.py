"""Settings of the report: the `report` section of the experiment file."""

import pydantic

from mtlx.components.model_insight.settings import InsightList, InsightSettings
from mtlx.transform.config.settings import Settings


class ReportSettings(Settings):
    """What the report shows beyond the run's own results.

    Attributes:
        best_possible: JSON file ``{task: {slice: auc}}`` with the AUC that a model would reach
            that knew the true probabilities (simulated logs have one); None where nobody knows. It
            may have a task twice, ``click`` and ``click without position``: the latter is taken
            where the served model is not given the column. A path with marks of a span, as in
            `data.path`, is that of the span that is tested on.
        title: of the page; the run's name if None.
        max_cross_slices_shown: of slices by two or more features, the largest so many are shown
            per cross; the rest is in the evaluation's files.
        insight: what is looked into after the evaluation, each a name or settings with the
            insight's options: ``importance`` of features per task and domain, ``gates``,
            ``representations`` (t-SNE) and behaviour ``sequences``. None by default: they take
            time.
    """

    best_possible: str | None = None
    title: str | None = None
    max_cross_slices_shown: pydantic.PositiveInt = 50
    insight: list[InsightSettings] = []

    @pydantic.field_validator("insight")
    @classmethod
    def _once_each(cls, value: list[InsightSettings]) -> list[InsightSettings]:
        names = [one.name for one in value]
        if len(set(names)) != len(names):
            raise ValueError(f"names an insight twice: {names}")
        return value

    def insights_json(self) -> str:
        """The insights alone, for `ModelInsight`."""
        return InsightList(self.insight).model_dump_json()

    def page_json(self) -> str:
        """All but the insights, for `Report`, which another choice of them leaves as it is."""
        return self.model_dump_json(exclude={"insight"})
