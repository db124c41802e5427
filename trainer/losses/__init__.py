"""Losses: from labels and a model's outputs to one number per task.

A loss is built with the tasks and called with labels ``(B, T)``, the model's outputs and the
population masks ``(B, T)``; it gives ``(T,)`` float32. One that is a mean over all rows and not
over each task's population says so by an attribute ``over_all_rows = True``: what counts of it
on several devices is its share of the rows, and it counts where a population is empty.
"""

from mtlx.transform.config.registry import Registry

LOSSES = Registry(
    "loss",
    {
        "binary_cross_entropy": "mtlx.trainer.losses.binary_cross_entropy:BinaryCrossEntropy",
        "domain_cross_entropy": "mtlx.trainer.losses.domain_cross_entropy:DomainCrossEntropy",
        "focal": "mtlx.trainer.losses.focal:Focal",
        "pwiser": "mtlx.trainer.losses.pwiser:PWiseR",
        "uncertainty_weighting": "mtlx.trainer.losses.uncertainty_weighting:UncertaintyWeighting",
        "entire_space_cross_entropy": (
            "mtlx.trainer.losses.entire_space_cross_entropy:EntireSpaceCrossEntropy"
        ),
        "behavioural_expectation_calibrator": (
            "mtlx.trainer.losses.behavioural_expectation_calibrator:BehaviouralExpectationCalibrator"
        ),
        "next_behaviour": "mtlx.trainer.losses.next_behaviour:NextBehaviour",
        "small_heads": "mtlx.trainer.losses.small_heads:SmallHeadsLoss",
    },
)
