"""What a training method is given, and what it gives back."""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.distribution.sharded_tables import ShardedTables
from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.layers.embedding.tables import tables_of
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.model.start import Start
from mtlx.trainer.optimization.learning_rate import needs_length
from mtlx.trainer.optimization.schedules.schedule import TrainingLength
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.training.stored.sharded_array import Kept
from mtlx.trainer.validation.history import History
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import ModelInputs


@dataclass(frozen=True)
class TrainingJob:
    """Everything a training method may use; the test split is not among it.

    Attributes:
        settings: of the training.
        inputs: what the model is built from.
        build_model: makes the untrained model.
        train: examples of the train split.
        validation: examples of the validation split, which alone selects.
        checkpoints: where the training's state is kept.
        strategy: the devices.
        on_epoch: is called with the history after every epoch.
        start: gives the values to begin with; None begins with those that the seed gives.
        shard_tables: whether each of several workers holds a share of the embedding tables' rows,
            and none all.
        start_competes: whether the weights that the training begins with are validated as its
            epoch 0, and kept where no epoch is better.
    """

    settings: TrainingSettings
    inputs: ModelInputs
    build_model: Callable[[], Scorer]
    train: ExampleSet
    validation: ExampleSet
    checkpoints: CheckpointFolder
    strategy: tf.distribute.Strategy
    on_epoch: Callable[[History], None] = lambda history: None
    start: Start | None = None
    start_competes: bool = False
    shard_tables: bool = False

    def gradient_model(self) -> GradientModel:
        """The untrained model, made in the strategy's scope, for a method that follows gradients.

        Its values follow the settings' seed, or come from `start`.

        Raises:
            SettingsError: the model has no trainable weights, as trees have none.
            ValueError: `start` does not fit it.
        """
        keras.utils.set_random_seed(self.settings.seed)
        with self.strategy.scope(), self._tables():
            model = self.build_model()
        if not isinstance(model, GradientModel):
            text = "follows gradients, which this model does not learn by: leave method away"
            raise SettingsError([(("method",), text)])
        if self.start is not None:
            self.start.give_weights(model)
        return model

    @contextlib.contextmanager
    def _tables(self) -> Iterator[None]:
        """Within it models have the embedding tables that the training asks for."""
        if not self.shard_tables:
            yield
            return
        sharded = ShardedTables(self.strategy)
        with tables_of(sharded), sharded.unread():
            yield

    def length(self, epochs: int) -> TrainingLength | None:
        """How long a training is; None where nothing depends on it: rows must be counted.

        Args:
            epochs: of all stages, if nothing stops them before.
        """
        if not needs_length(self.settings.schedule):
            return None
        return TrainingLength(math.ceil(self.train.rows / self.settings.batch_size), epochs)

    def spread(self, batches: tf.data.Dataset) -> Iterable[dict[str, tf.Tensor]]:
        """Batches, each divided among the replicas of one machine where there are several."""
        if WorkerGroup(self.strategy).several or self.strategy.num_replicas_in_sync == 1:
            return batches
        return self.strategy.experimental_distribute_dataset(batches)


@dataclass(frozen=True)
class TrainingResult:
    """What a training left.

    Attributes:
        weights: the selected ones, in the order of the model's ``variables``; large tables lie in
            the folder of the training's checkpoint, and are gone with it.
        history: what happened.
        build_model: makes the untrained model that the weights fit, where the method changed
            the model; None for the job's own.
        state: what else steps have changed, by name and group, as far as another training may ask
            for it: weights of losses, and where the settings say so of optimisers.
        model: settings of the model that the weights fit, where the method changed it.
    """

    weights: list[Kept]
    history: History
    build_model: Callable[[], Scorer] | None = None
    state: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)
    model: ModelSettings | None = None
