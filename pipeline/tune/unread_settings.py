"""Settings that an experiment may have, and on which nothing hangs that its model learns."""

from collections.abc import Sequence

from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.trainer.model.tree_model import TreeModel
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.training.methods import TRAINING_METHODS, method_of
from mtlx.transform.contract.features import SequenceFeature

#: Of `model`, what trees are built by; of `training`, what every method is chosen and set by.
_OF_TREES = ("preset", "network", "options")
_OF_METHODS = ("method", "method_options")
#: Of `model`, what is made of sequences.
_OF_SEQUENCES = ("sequence_encoder", "sequence_options")


def why_unread(name: str, experiments: Sequence[Experiment]) -> str | None:
    """Why a setting changes nothing that a model learns, with the remedy; None where it may.

    Args:
        name: of the setting, such as ``training.learning_rate``.
        experiments: of which one that reads it is enough; at least one.
    """
    reasons = [_why_unread(name, experiment) for experiment in experiments]
    return None if None in reasons else reasons[0]


def _why_unread(name: str, experiment: Experiment) -> str | None:
    section, key = name.split(".")[:2]
    network, method = experiment.model.network, method_of(experiment.model, experiment.training)
    if section == "training":
        reads = TRAINING_METHODS.get(method).reads
        if reads is None or key in _OF_METHODS or key in reads:
            return None
        options = ", ".join(TRAINING_METHODS.options(method))
        return (
            f"training method {method!r} does not read training.{key}, so that all trials would be "
            f"the same: vary training.method_options ({options}), or choose another network"
        )
    if issubclass(NETWORKS.get(network), TreeModel) and key not in _OF_TREES:
        return (
            f"network {network!r} reads the features themselves and has no {key}, so that all "
            "trials would be the same: vary training.method_options, or choose another network"
        )
    features = experiment.features.values()
    if key in _OF_SEQUENCES and not any(isinstance(one, SequenceFeature) for one in features):
        return (
            "no feature is a sequence, so that all trials would be the same: add one to features, "
            f"or leave {name} out"
        )
    return None
