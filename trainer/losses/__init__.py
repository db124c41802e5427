"""Losses: from labels and a model's outputs to one number per task."""

from transform.registry import Registry

LOSSES = Registry(
    "loss",
    {
        "binary_cross_entropy": "trainer.losses.binary_cross_entropy:BinaryCrossEntropy",
        "small_heads": "trainer.losses.small_heads:SmallHeadsLoss",
    },
)
