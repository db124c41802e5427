"""Arrangements of tasks and domains: one model for all, or several, or outputs per domain.

M3oE's tables call them -MTL, -MDL and -MTMD. Each is a model like any other: features in, logits
and probabilities ``(B, T)`` out.
"""

from transform.registry import Registry

ARRANGEMENTS = Registry(
    "arrangement",
    {
        "joint": "trainer.ranking_model:RankingModel",
        "mtl": "trainer.arrangements.model_per_domain:ModelPerDomain",
        "mdl": "trainer.arrangements.model_per_task:ModelPerTask",
        "mtmd": "trainer.arrangements.task_per_domain:TaskPerDomain",
    },
)
