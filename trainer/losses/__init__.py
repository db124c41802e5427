"""Losses by the name used in `training.loss`; what each promises is `mtlx.trainer.losses.loss`."""

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
