"""What the gate records of a push, so that the pushes can be added up later."""

import math

from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.components.slice_evaluation.statistics.slice_metrics import BASELINE, CANDIDATE

#: Custom property of the blessing: the logarithm of the candidate's gain over its baseline.
GAIN_PROPERTY = "log_gain_over_baseline"


def recorded_gain(results: SliceResults) -> float | None:
    """Mean over the tasks of log((AUC - 0.5) / (AUC of the baseline - 0.5)), on all rows.

    Logarithms, since the gains of one push after another multiply (RelaImp is the ratio less 1).

    Args:
        results: of the slice evaluation.

    Returns:
        None where there is no baseline, where it is not comparable in one of the tasks, or where
        there is no task in which both are better than chance.
    """
    if results.incomparable.get(BASELINE):
        return None
    gains = []
    for task in results.tasks:
        pair = [results.metric(name, task) for name in (CANDIDATE, BASELINE)]
        above = [m.auc - 0.5 for m in pair if m is not None and m.auc is not None]
        if len(above) == 2 and min(above) > 0:
            gains.append(math.log(above[0] / above[1]))
    return sum(gains) / len(gains) if gains else None
