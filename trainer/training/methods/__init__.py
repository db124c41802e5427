"""Training methods by the name used in `training.method`.

What each promises is `mtlx.trainer.training.methods.training_method`.
"""

from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.transform.config.registry import Registry
from mtlx.transform.config.settings import SettingsError

TRAINING_METHODS = Registry(
    "training method",
    {
        "standard": "mtlx.trainer.training.methods.standard:Standard",
        "bi_level": "mtlx.trainer.training.methods.bi_level:BiLevel",
        "gradient_boosting": "mtlx.trainer.training.methods.gradient_boosting:GradientBoosting",
        "gate_trim": "mtlx.trainer.training.methods.gate_trim:GateTrim",
        "meta": "mtlx.trainer.training.methods.meta:Meta",
    },
)


def method_of(model: ModelSettings, training: TrainingSettings) -> str:
    """The method that a model is trained with: the training's, or its network's own.

    Raises:
        SettingsError: an unknown network.
    """
    return training.method or NETWORKS.get(model.network).default_method


def check_warm_start(method: str, training: TrainingSettings) -> None:
    """Refuses a base model for a method that can't begin with one.

    Raises:
        SettingsError: the method trains from the start, always; or an unknown method.
    """
    if training.warm_start is not None and not TRAINING_METHODS.get(method).warm_starts:
        text = (
            f"training method {method!r} can't begin with a base model, its trees grow anew: leave "
            "warm_start out, or choose a network"
        )
        raise SettingsError([(("warm_start",), text)])


def check_workers(method: str, workers: int) -> None:
    """Refuses several machines for a method that can't use them.

    Raises:
        ValueError: the method runs on one machine only.
        SettingsError: an unknown method.
    """
    if workers > 1 and TRAINING_METHODS.get(method).one_machine:
        raise ValueError(
            f"training method {method!r} runs on one machine, not on {workers}: set workers of "
            "this node to 1 (kubeflow.nodes), or choose another model"
        )


def check_sharding(method: str, training: TrainingSettings) -> None:
    """Refuses shared out embedding tables for a method that needs them whole.

    Raises:
        SettingsError: the settings ask for them; or an unknown method.
    """
    if training.embeddings.shard is True and not TRAINING_METHODS.get(method).shards:
        text = (
            f"is true, and training method {method!r} needs whole tables on every worker: set it "
            "to auto or false, or choose method 'standard'"
        )
        raise SettingsError([(("embeddings", "shard"), text)])


def check_repeats(method: str, training: TrainingSettings) -> None:
    """Refuses several seeds for a method that gives the same model for each.

    Raises:
        SettingsError: the method does not hang on the seed; or an unknown method.
    """
    if training.repeats > 1 and not TRAINING_METHODS.get(method).seeded:
        text = (
            f"training method {method!r} gives the same model from every seed, so that there is no "
            "spread to be measured: set repeats to 1 for it (that of a reference stands in "
            f"gate.reference_training). Received: {training.repeats}"
        )
        raise SettingsError([(("repeats",), text)])
