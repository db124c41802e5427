"""From the settings of a model to the model."""

from mtlx.trainer.model.arrangements import ARRANGEMENTS
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.model.tree_model import TreeModel
from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.settings import ModelSettings
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs


def build_model(inputs: ModelInputs, settings: ModelSettings) -> Scorer:
    """Builds the untrained model: trees alone, networks in the arrangement that is asked for.

    Args:
        inputs: features, domains and tasks.
        settings: names and options of the parts.

    Raises:
        SettingsError: an unknown name, wrong options of a part, or parts that do not fit each
            other.
        ValueError: no feature to read.
    """
    if not issubclass(NETWORKS.get(settings.network), TreeModel):
        model: Scorer = ARRANGEMENTS.get(settings.arrangement)(inputs, settings)
        return model
    _check_trees_alone(inputs, settings)
    trees: Scorer = NETWORKS.build(settings.network, settings.options, inputs)
    return trees


def _check_trees_alone(inputs: ModelInputs, settings: ModelSettings) -> None:
    """Refuses parts that trees, which read the features themselves, would pass by."""
    reads = f"network {settings.network!r} reads the features themselves"
    problems = []
    if settings.bottom != "none":
        problems.append((("bottom",), f"{reads}: choose 'none'"))
    if inputs.sequences and settings.sequence_encoder != "none":
        problems.append((("sequence_encoder",), f"{reads}: choose 'none'"))
    if settings.arrangement != "joint":
        problems.append((("arrangement",), f"{reads} and is not arranged: choose 'joint'"))
    several = [field.name for field in inputs.multiple]
    several += [vector.name for vector in inputs.vectors]
    if several:
        text = (
            f"{reads}, and takes one value of each: take {', '.join(several)} out of features, or "
            "choose another network"
        )
        problems.append((("network",), text))
    if inputs.regressions:
        text = (
            f"{settings.network!r} grows trees for labels 0 and 1, and task "
            f"{inputs.regressions[0]!r} is a regression: choose a network with towers"
        )
        problems.append((("network",), text))
    if problems:
        raise SettingsError(problems)
