"""Metrics of the evaluation, by the name that `evaluation.metrics` uses."""

from mtlx.transform.config.registry import Registry

METRICS = Registry(
    "metric",
    {
        "auc": "mtlx.components.slice_evaluation.metrics.auc:Auc",
        "calibration": "mtlx.components.slice_evaluation.metrics.calibration:Calibration",
        "ece": "mtlx.components.slice_evaluation.metrics.ece:Ece",
        "gauc": "mtlx.components.slice_evaluation.metrics.gauc:Gauc",
        "gauc_equal": "mtlx.components.slice_evaluation.metrics.gauc:GaucEqual",
        "log_loss": "mtlx.components.slice_evaluation.metrics.log_loss:LogLoss",
        "mrr": "mtlx.components.slice_evaluation.metrics.mrr:Mrr",
        "ndcg": "mtlx.components.slice_evaluation.metrics.ndcg:Ndcg",
        "normalised_entropy": (
            "mtlx.components.slice_evaluation.metrics.normalised_entropy:NormalisedEntropy"
        ),
        "recall": "mtlx.components.slice_evaluation.metrics.recall:Recall",
        "rmse": "mtlx.components.slice_evaluation.metrics.rmse:Rmse",
        "xauc": "mtlx.components.slice_evaluation.metrics.xauc:Xauc",
    },
)
