"""Experts and one gate, both shared by all tasks."""

from mtlx.trainer.networks.mmoe import MMoE


class OMoE(MMoE):
    """One-gate mixture of experts (Ma et al. 2018): f = Σ_i g_i(x) E_i(x) for all tasks.

    The gate is one linear layer (with bias) and a softmax over the flattened fields; the output
    names it once for every task.

    Shown to learn:
        What clicks tell a task of few rows: on `transfer` it is 0.036 and 0.037 ahead of
        `single_task`, since one gate for all tasks leaves the conversion no way of its own. AUC
        0.852 and 0.852 of the possible 0.861 on `own_rules`, 0.758 and 0.766 of the possible 0.792
        on `small_domain`, 0.740 and 0.739 of the possible 0.790 on `transfer`, 0.680 and 0.661 of
        the possible 0.801 on `cross` (`benchmarks.planted_networks`; seeds 1 and 2).

    Args:
        inputs: the tasks.
        experts: number of experts.
        expert_hidden: widths of each expert's layers.
        tower_hidden: widths of each tower's hidden layers.
        dropout: share of the hidden units that are dropped in training.
        normalization: of every hidden layer, before its ReLU: ``none``, ``batch`` or ``layer``.
    """

    gate_per_task = False
