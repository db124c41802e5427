"""Training methods by the name used in `training.method`."""

from transform.registry import Registry

TRAINING_METHODS = Registry(
    "training method",
    {
        "standard": "trainer.training_methods.standard:Standard",
        "meta": "trainer.training_methods.meta:Meta",
    },
)
