"""Losses: from labels and a model's outputs to one number per task."""

from transform.registry import Registry

LOSSES = Registry(
    "loss",
    {
        "binary_cross_entropy": "trainer.losses.binary_cross_entropy:BinaryCrossEntropy",
        "domain_cross_entropy": "trainer.losses.domain_cross_entropy:DomainCrossEntropy",
    },
)
