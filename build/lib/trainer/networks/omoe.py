"""Experts and one gate, both shared by all tasks."""

from trainer.networks.mmoe import MMoE


class OMoE(MMoE):
    """One-gate mixture of experts (Ma et al. 2018): f = Σ_i g_i(x) E_i(x) for all tasks.

    The gate is one linear layer (with bias) and a softmax over the flattened fields; the output
    names it once for every task.

    Args:
        inputs: the tasks.
        experts: number of experts.
        expert_hidden: widths of each expert's layers.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    gate_per_task = False
