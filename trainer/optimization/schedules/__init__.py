"""Learning-rate schedules by the name used in `training.schedule`."""

from mtlx.transform.config.registry import Registry

SCHEDULES = Registry(
    "learning-rate schedule",
    {
        "constant": "mtlx.trainer.optimization.schedules.constant:Constant",
        "cosine": "mtlx.trainer.optimization.schedules.cosine:Cosine",
        "exponential": "mtlx.trainer.optimization.schedules.exponential:Exponential",
        "plateau": "mtlx.trainer.optimization.schedules.plateau:Plateau",
    },
)
