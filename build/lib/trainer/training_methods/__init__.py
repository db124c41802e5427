"""Training methods by the name used in `training.method`."""

from trainer.networks import NETWORKS
from trainer.settings import ModelSettings, TrainingSettings
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


def method_of(model: ModelSettings, training: TrainingSettings) -> str:
    """The method that a model is trained with: the training's, or its network's own.

    Raises:
        SettingsError: an unknown network.
    """
    return training.method or NETWORKS.get(model.network).default_method


def check_workers(method: str, workers: int) -> None:
    """Refuses several machines for a method that can't use them.

    Raises:
        ValueError: the method runs on one machine only.
        SettingsError: an unknown method.
    """
    if workers > 1 and getattr(TRAINING_METHODS.get(method), "one_machine", False):
        raise ValueError(
            f"training method {method!r} runs on one machine, not on {workers}: set workers of "
            "this node to 1 (kubeflow.nodes), or choose another model"
        )
