"""Area under the ROC."""

from mtlx.components.slice_evaluation.metrics.metric import Metric


class Auc(Metric):
    """Probability that a positive outranks a negative, ties counted half.

    Each row counts by its weight. Its interval is of its own kind (`paired_auc`): placement values
    (DeLong 1988, Obuchowski 1997). It is always measured, since RelaImp is made of it.
    """

    title = "AUC"
    scale = "logit"
    better = "higher"
