"""AdaTT without a shared module."""

from typing import Annotated

from pydantic import Field, PositiveInt

from trainer.layers.normalization import Normalization
from trainer.networks.adatt import AdaTT
from transform.model_inputs import ModelInputs


class AdaTTSp(AdaTT):
    """AdaTT-sp (Li et al. 2023): only modules of the tasks' own, see `AdaTT`.

    Args:
        inputs: the tasks.
        levels: number of levels.
        task_experts: experts of each task and level.
        expert_hidden: widths of each expert's layers.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        levels: PositiveInt = 2,
        task_experts: PositiveInt = 2,
        expert_hidden: Annotated[list[PositiveInt], Field(min_length=1)] = [256, 128],  # noqa: B006
        tower_hidden: list[PositiveInt] = [128, 64],  # noqa: B006
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__(
            inputs,
            levels=levels,
            task_experts=task_experts,
            shared_experts=0,
            expert_hidden=expert_hidden,
            tower_hidden=tower_hidden,
            dropout=dropout,
            normalization=normalization,
        )
