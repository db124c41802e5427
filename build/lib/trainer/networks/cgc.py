"""Task experts and shared experts in one level."""

from typing import Annotated

from pydantic import Field, PositiveInt

from trainer.layers.normalization import Normalization
from trainer.networks.ple import PLE
from transform.model_inputs import ModelInputs


class CGC(PLE):
    """Customised gate control (Tang et al. 2020): PLE with a single level.

    f_t = Σ_i g_t,i(x) E_i(x) over task t's own experts and the shared ones; the gate is one
    linear layer (with bias) and a softmax over the flattened fields.

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
        expert_hidden: Annotated[list[PositiveInt], Field(min_length=1)] = [256, 128],  # noqa: B006
        tower_hidden: list[PositiveInt] = [128, 64],  # noqa: B006
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
