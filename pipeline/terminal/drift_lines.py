"""What the end of a run says of how far the data moved."""

from collections.abc import Iterable

from mtlx.pipeline.run.run_result import NodeRun


def drift_lines(nodes: Iterable[NodeRun]) -> tuple[list[str], list[str]]:
    """Reads what DriftGuard found, among finished nodes.

    Args:
        nodes: of a run.

    Returns:
        Lines where nothing moved too far, and those to mind.
    """
    quiet, loud = [], []
    for node in nodes:
        for uri in node.outputs.get("drift", []):
            # Of a run that is done; reading it earlier would load TensorFlow for nothing.
            from mtlx.components.drift_guard.drift_result import Drift

            drift = Drift.load(uri)
            quiet += [one.line for one in drift.comparisons if not one.beyond]
            loud += [one.line for one in drift.comparisons if one.beyond]
            loud += drift.notes
        for uri in node.outputs.get("skew", []):
            from mtlx.components.skew_guard.skew_result import Skew

            skew = Skew.load(uri)
            (loud if skew.beyond else quiet).extend([skew.line] if skew.line else [])
            loud += skew.notes
    return quiet, loud
