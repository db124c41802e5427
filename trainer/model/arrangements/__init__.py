"""Arrangements of tasks and domains: one model for all, or several, or outputs per domain.

M3oE's tables call them -MTL, -MDL and -MTMD. Each is a model like any other: features in, logits
and probabilities ``(B, T)`` out.
"""

from mtlx.transform.config.registry import Registry

ARRANGEMENTS = Registry(
    "arrangement",
    {
        "joint": "mtlx.trainer.model.ranking_model:RankingModel",
        "mtl": "mtlx.trainer.model.arrangements.model_per_domain:ModelPerDomain",
        "mdl": "mtlx.trainer.model.arrangements.model_per_task:ModelPerTask",
        "mtmd": "mtlx.trainer.model.arrangements.task_per_domain:TaskPerDomain",
    },
)
