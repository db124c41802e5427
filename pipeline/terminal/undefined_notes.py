"""Why numbers are missing in the terminal's summary, in a few lines."""

from mtlx.components.slice_evaluation.results import SliceResults
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE

#: Lines at most; the report has all.
_MAXIMUM_NOTES = 8


def undefined_notes(results: SliceResults) -> list[str]:
    """Returns a line for each task and slice without AUC, RelaImp or an interval.

    Crosses of several features, which the summary does not show, are left out.
    """
    named: dict[str, None] = {}
    for metric in results.metrics:
        if metric.of_numbers:
            continue
        if metric.model == CANDIDATE and metric.auc_reason and len(metric.key) < 2:
            what = "AUC undefined" if metric.auc is None else "no interval"
            named[f"{metric.task}, {metric.slice}: {what} ({metric.auc_reason})"] = None
    without = {(m.task, m.key) for m in results.metrics if m.model == CANDIDATE and m.auc_reason}
    for pair in results.comparisons:
        # What the candidate itself lacks has been said.
        if not pair.relaimp_reason or len(pair.key) > 1 or (pair.task, pair.key) in without:
            continue
        what = "undefined" if pair.relaimp is None else "without interval"
        over = f"RelaImp over the {pair.baseline}"
        named[f"{pair.task}, {pair.slice}: {over} {what} ({pair.relaimp_reason})"] = None
    notes = list(named)
    if len(notes) <= _MAXIMUM_NOTES:
        return notes
    more = len(notes) - _MAXIMUM_NOTES
    return [*notes[:_MAXIMUM_NOTES], f"{more} more are undefined; the report says why"]
