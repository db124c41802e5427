"""What all training methods have in common."""

from abc import ABC, abstractmethod
from typing import ClassVar

from mtlx.trainer.training.job import TrainingResult


class TrainingMethod(ABC):
    """Base of the training methods: from a job to the selected weights and what happened.

    Built with a `mtlx.trainer.training.job.TrainingJob`; its options are keyword-only arguments.
    Most methods run a `mtlx.trainer.training.loop.TrainingLoop` with a step of their choice.

    Attributes:
        one_machine: whether several machines can't train with it.
        warm_starts: whether it can begin with the weights of a base model.
        seeded: whether another seed gives another model.
        shards: whether several machines can each hold a share of the embedding tables' rows.
        reads: settings of `training` on which hangs what it learns, beside its own options; None
            for all.
    """

    one_machine: ClassVar[bool] = False
    warm_starts: ClassVar[bool] = True
    seeded: ClassVar[bool] = True
    shards: ClassVar[bool] = False
    reads: ClassVar[frozenset[str] | None] = None

    @abstractmethod
    def train(self) -> TrainingResult:
        """Trains, from the last checkpoint where there is one.

        Raises:
            TrainingDiverged: the loss is no longer finite.
            ValueError: the rows do not allow it.
        """
