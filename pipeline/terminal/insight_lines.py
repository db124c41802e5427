"""What the end of a run says of what the model goes by."""

from collections.abc import Iterable

from mtlx.pipeline.run.run_result import NodeRun


def insight_lines(nodes: Iterable[NodeRun]) -> list[str]:
    """The first headline of what ModelInsight found, among finished nodes; one line at most.

    Args:
        nodes: of a run.
    """
    for node in nodes:
        for uri in node.outputs.get("insight", []):
            # Of a run that is done; reading it earlier would load TensorFlow for nothing.
            from mtlx.components.model_insight.insight_result import ModelInsights

            return ModelInsights.load(uri).headlines[:1]
    return []
