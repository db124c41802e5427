"""What all losses have in common."""

import keras


class Loss(keras.layers.Layer):
    """Base of the losses: from labels and a model's outputs to one number per task.

    Built with the tasks, and called with labels ``(B, T)``, the model's outputs and the
    population masks ``(B, T)``, a loss gives ``(T,)`` float32: means over the rows of each task's
    population, 0 where that is empty. Whatever the model's precision is, it computes in float32.
    Weights of its own are trained, and checkpointed, with the model's.

    Attributes:
        over_all_rows: whether the means are over all rows instead. What counts of such a loss on
            several devices is its share of the rows, and it counts where a population is empty.
    """

    over_all_rows: bool = False

    def __init__(self) -> None:
        super().__init__(dtype="float32")
