"""Insights into a trained model: a file each, and a line in `INSIGHTS`."""

from mtlx.transform.config.registry import Registry

INSIGHTS = Registry(
    "insight",
    {
        "gates": "mtlx.components.model_insight.insights.gates:Gates",
        "importance": "mtlx.components.model_insight.insights.importance:Importance",
        "representations": "mtlx.components.model_insight.insights.representations:Representations",
        "sequences": "mtlx.components.model_insight.insights.sequences:Sequences",
    },
)
