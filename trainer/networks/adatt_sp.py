"""AdaTT without a shared module."""

from typing import Annotated

from pydantic import Field, PositiveInt

from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.networks.adatt import AdaTT
from mtlx.transform.contract.model_inputs import ModelInputs


class AdaTTSp(AdaTT):
    """AdaTT-sp (Li et al. 2023): only modules of the tasks' own, see `AdaTT`.

    Shown to learn:
        What clicks tell a task of few rows, by reading the other task's experts: 0.030 and 0.018
        over `single_task` on `transfer`. AUC 0.852 and 0.847 of the possible 0.861 on `own_rules`,
        0.753 and 0.765 of the possible 0.792 on `small_domain`, 0.734 and 0.720 of the possible
        0.790 on `transfer`, 0.668 and 0.697 of the possible 0.801 on `cross`
        (`benchmarks.planted_networks`; seeds 1 and 2).

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
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
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
