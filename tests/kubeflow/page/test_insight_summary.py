"""The page of the task that looks into the model: a line for each insight."""

from mtlx.components.model_insight.insight_result import FoundInsight, ModelInsights
from mtlx.kubeflow.page.summaries.insight_summary import insight_summary


def test_headlines_and_what_there_is_nothing_of(tmp_path):
    found = [
        FoundInsight(name="importance", title="Feature importance", rows=1200, headline="a | b"),
        FoundInsight(name="gates", title="Gates", rows=1200, reason="network 'x' has no gates"),
        FoundInsight(name="representations", title="Representations", rows=1000),
    ]
    ModelInsights(total=5000, insights=found).save(str(tmp_path))
    lines = insight_summary(str(tmp_path))
    assert "| Feature importance | 1,200 | a \\| b |" in lines
    assert "| Gates | 1,200 | network 'x' has no gates |" in lines
    assert "| Representations | 1,000 | in the report |" in lines
