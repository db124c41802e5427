"""What ModelInsight found, as Markdown; the report draws it."""

from mtlx.components.model_insight.insight_result import ModelInsights
from mtlx.components.report.formatting import count
from mtlx.kubeflow.page.markdown import plain, table


def insight_summary(uri: str) -> list[str]:
    """The headline of every insight, or why there is nothing to see.

    Args:
        uri: of what ModelInsight found.
    """
    found = ModelInsights.load(uri)
    rows = [
        (plain(one.title), count(one.rows), plain(one.reason or one.headline or "in the report"))
        for one in found.insights
    ]
    return table(("Insight", ">Rows", "Found"), rows)
