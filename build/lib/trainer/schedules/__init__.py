"""Learning-rate schedules by the name used in `training.schedule`."""

from transform.registry import Registry

SCHEDULES = Registry(
    "learning-rate schedule",
    {
        "constant": "trainer.schedules.constant:Constant",
        "cosine": "trainer.schedules.cosine:Cosine",
        "exponential": "trainer.schedules.exponential:Exponential",
        "plateau": "trainer.schedules.plateau:Plateau",
    },
)
