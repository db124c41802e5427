"""Training methods by the name used in `training.method`."""

from transform.registry import Registry

TRAINING_METHODS = Registry(
    "training method",
    {
        "standard": "trainer.training_methods.standard:Standard",
        "bi_level": "trainer.training_methods.bi_level:BiLevel",
        "gradient_boosting": "trainer.training_methods.gradient_boosting:GradientBoosting",
        "gate_trim": "trainer.training_methods.gate_trim:GateTrim",
        "meta": "trainer.training_methods.meta:Meta",
    },
)
