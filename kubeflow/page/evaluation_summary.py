"""What a slice evaluation found over all rows, as Markdown."""

from mtlx.components.report.formatting import count, fixed, share
from mtlx.components.report.render import MODEL_NAMES
from mtlx.components.slice_evaluation.results import SliceMetrics, load_results
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE
from mtlx.kubeflow.page.markdown import plain, table


def evaluation_summary(uri: str) -> list[str]:
    """One line per task: its population, and the AUC of every model.

    Args:
        uri: of the evaluation.

    Raises:
        EvaluationResultError: there is no complete evaluation.
    """
    results = load_results(uri)
    rows = []
    for task in results.tasks:
        own = results.metric(CANDIDATE, task)
        if own is None:
            continue
        aucs = [_auc(results.metric(model, task)) for model in results.models]
        positives = share(own.positives, own.examples)
        rows.append((plain(task), count(own.examples), positives, *aucs))
    titles = ["Task", ">Rows", ">Positives"]
    titles += [f">AUC of the {MODEL_NAMES[model]}" for model in results.models]
    number = len(results.slices) - 1
    return [
        "## All rows",
        *table(titles, rows),
        f"{number} {'slice is' if number == 1 else 'slices are'} in the heat map and the metrics.",
        *(f"\n{plain(notice)}" for notice in results.notices),
    ]


def _auc(metric: SliceMetrics | None) -> str:
    if metric is None or metric.auc is None:
        reason = metric.auc_reason if metric else None
        return f"undefined ({plain(reason)})" if reason else "undefined"
    if metric.auc_lower is None or metric.auc_upper is None:
        return fixed(metric.auc)
    return f"{fixed(metric.auc)} ({fixed(metric.auc_lower)} to {fixed(metric.auc_upper)})"
