"""What all losses have in common."""

import keras

#: Key beside a model's outputs: ``(B, T)`` float32, what a label counts for, whatever the
#: population. It is there where some labels are not known at once (`matures_after`), which count 0,
#: and where rows have weights; a mask knows of them, too.
COUNTED_LABELS = "counted_labels"
#: Key beside a model's outputs: ``(B,)`` float32, what rows count for in all tasks, where they have
#: such weights. Losses without labels read it.
ROW_WEIGHTS = "row_weights"


class Loss(keras.layers.Layer):
    """Base of the losses: from labels and a model's outputs to one number per task.

    Built with the tasks, and called with labels ``(B, T)``, the model's outputs and the
    population masks ``(B, T)``, a loss gives ``(T,)`` float32: means over the rows of each task's
    population, 0 where that is empty. A mask is what a row counts for, and a mean one by these
    weights: Σ m L / Σ m, so that the unit of weights is of no matter. Whatever the model's
    precision is, it computes in float32.
    Weights of its own are trained, and checkpointed, with the model's.

    Attributes:
        over_all_rows: whether the means are over all rows instead. What counts of such a loss on
            several devices is its share of the rows, and it counts where a population is empty.
            Where the loss reads labels, rows whose label does not count (`COUNTED_LABELS`) are to
            be left out.
        reads_labels: whether labels are read.
        of_regressions: whether it is of the tasks whose labels are numbers. The others see an empty
            population of those.
        corrected_by_constant: whether of a task whose negatives were drawn the best logit is that
            of the odds among the rows that are left, so that ln w corrects it. A loss that looks at
            several rows or tasks at once has no such constant.
        beside_regressions: whether a model that has such tasks, too, can be trained with it.
    """

    over_all_rows: bool = False
    reads_labels: bool = True
    of_regressions: bool = False
    beside_regressions: bool = True
    corrected_by_constant: bool = False

    def __init__(self) -> None:
        super().__init__(dtype="float32")
