"""Task experts and shared experts in one level."""

from typing import Annotated

from pydantic import Field, PositiveInt

from mtlx.trainer.layers.parallel.normalization import Normalization
from mtlx.trainer.networks.ple import PLE
from mtlx.transform.contract.model_inputs import ModelInputs


class CGC(PLE):
    """Customised gate control (Tang et al. 2020): PLE with a single level.

    f_t = Σ_i g_t,i(x) E_i(x) over task t's own experts and the shared ones; the gate is one
    linear layer (with bias) and a softmax over the flattened fields.

    Shown to learn:
        Own rules of domains, and a small domain; on `transfer` it is 0.009 and 0.004 ahead of
        `single_task`, within what two seeds differ. AUC 0.853 and 0.848 of the possible 0.861 on
        `own_rules`, 0.763 and 0.767 of the possible 0.792 on `small_domain`, 0.713 and 0.706 of the
        possible 0.790 on `transfer`, 0.680 and 0.661 of the possible 0.801 on `cross`
        (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: the tasks.
        task_experts: n_t, experts of each task.
        shared_experts: n_s, shared experts.
        expert_hidden: widths of each expert's layers.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        *,
        task_experts: PositiveInt = 2,
        shared_experts: PositiveInt = 2,
        expert_hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = (256, 128),
        tower_hidden: tuple[PositiveInt, ...] = (128, 64),
        dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0,
        normalization: Normalization = "none",
    ):
        super().__init__(
            inputs,
            levels=1,
            task_experts=task_experts,
            shared_experts=shared_experts,
            expert_hidden=expert_hidden,
            tower_hidden=tower_hidden,
            dropout=dropout,
            normalization=normalization,
        )
