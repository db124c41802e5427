"""Standard training: minibatch descent on the summed task losses, with early stopping."""

from mtlx.trainer.training.addition import Addition
from mtlx.trainer.training.job import TrainingJob, TrainingResult
from mtlx.trainer.training.loop import TrainingLoop
from mtlx.trainer.training.methods.training_method import TrainingMethod
from mtlx.trainer.training.ordinary_step import OrdinaryStep


class Standard(TrainingMethod):
    """Ordinary steps on all weights, epoch by epoch, until the validation split shows no gain.

    See `mtlx.trainer.training.loop.TrainingLoop`: the best epoch's weights are the result, and an
    interrupted training ends with the same weights.

    Shown to learn:
        To keep the best epoch: at a rate that overshoots, epoch 12 of 12 is not it, and the weights
        that are kept have the best epoch's validation AUC to 1e-6 (`test_standard`). All numbers of
        `benchmarks.planted_networks`, such as an AUC of 0.85 of the possible 0.86, come of its
        steps.

    Args:
        job: what is trained on what.
        addition: what is done besides; None for nothing.

    Raises:
        SettingsError: the model learns by no gradients.
    """

    shards = True

    def __init__(self, job: TrainingJob, addition: Addition | None = None) -> None:
        self._epochs = job.settings.epochs
        length = job.length(self._epochs)
        model = job.gradient_model()
        step = OrdinaryStep(model, job.inputs.tasks, job.settings, job.strategy, length=length)
        self.loop = TrainingLoop(job, model, step, addition)

    def train(self) -> TrainingResult:
        """See `TrainingMethod`."""
        self.loop.open()
        self.loop.run_epochs(self._epochs)
        return self.loop.result()
