"""Entry point of the TFX Trainer: ``run_fn='mtlx.trainer.run_fn.run_fn'``."""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from absl import logging

from mtlx.trainer.distribution.cluster import Cluster
from mtlx.trainer.distribution.devices import choose_strategy
from mtlx.trainer.distribution.precision import POLICIES
from mtlx.trainer.distribution.shard_choice import shard_tables
from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.examples.available_memory import available_memory
from mtlx.trainer.layers.embedding.tables import tables_given
from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.scorer import Scorer
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.pretrained.given_vectors import GivenVectors
from mtlx.trainer.repeats.repeated_training import RepeatedTraining
from mtlx.trainer.run_config import CHECKPOINT_ROOT, SETTINGS_KEYS, read_settings
from mtlx.trainer.serving.correction_notes import correction_notes
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.serving.training_only import RowsAsServed, training_only_notes
from mtlx.trainer.training.checkpoint import CheckpointFolder, training_digest
from mtlx.trainer.training.example_sets import example_sets
from mtlx.trainer.training.job import TrainingJob, TrainingResult
from mtlx.trainer.training.methods import (
    TRAINING_METHODS,
    check_repeats,
    check_sharding,
    check_warm_start,
    check_workers,
    method_of,
)
from mtlx.trainer.training.methods.training_method import TrainingMethod
from mtlx.trainer.training.precision import agreed_precision
from mtlx.trainer.training.stored.sharded_array import Kept, give
from mtlx.trainer.validation.history import History
from mtlx.trainer.warm_start.base_model import TRAINING_PARTS
from mtlx.trainer.warm_start.beginning import Beginning
from mtlx.trainer.warm_start.warm_start import vocabularies_of
from mtlx.trainer.warm_start.write_base import describe_checkpoint, write_base
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract

if TYPE_CHECKING:  # It takes two seconds to import, in every worker.
    from tfx.components.trainer.fn_args_utils import FnArgs


def run_fn(fn_args: "FnArgs", memory: Callable[[], int | None] = available_memory) -> None:
    """Trains and exports one model, alone or with the other machines that ``TF_CONFIG`` names.

    With `training.repeats` it is trained from several seeds, and models of the others lie beside it
    (`mtlx.trainer.repeats`).

    Several machines all call this with the same arguments; the chief alone writes, and the others
    return once it has.

    Args:
        fn_args: of TFX; ``custom_config`` see `mtlx.trainer.run_config`.
        memory: how many bytes this process may still take, None where nobody knows.

    Raises:
        ValueError: a key is missing in ``custom_config``, or its value is not what it must be;
            or the training method runs on one machine only, or hangs on no seed and is to be
            repeated; or the base model does not fit.
    """
    job, run = _job(fn_args, memory)
    workers = run.workers
    if job.settings.repeats > 1:
        repeated = RepeatedTraining(job, workers)
        repeated.train(run.train, run.export)
        if workers.is_chief:
            repeated.write(fn_args.serving_model_dir, fn_args.model_run_dir)
    else:
        result = run.train(job)
        if workers.is_chief:
            logging.info(result.history.kept)
            run.export(job, result, fn_args.serving_model_dir)
            result.history.write(fn_args.model_run_dir)
    if not workers.is_chief:
        # A worker that left now could not come back for a chief that is killed while it exports.
        workers.wait()
        return
    _release(workers)
    job.checkpoints.remove()


def validate_fn(
    fn_args: "FnArgs",
    on_epoch: Callable[[History], None],
    memory: Callable[[], int | None] = available_memory,
) -> History:
    """Trains as `run_fn` does from one seed, for what the model reaches on the validation split.

    It is not exported. The checkpoint stays, so that a further call ends at once: who has noted
    what this one gives removes it.

    Args:
        fn_args: of TFX, without what is exported.
        on_epoch: is given the history after every epoch, all epochs before included.
        memory: how many bytes this process may still take, None where nobody knows.

    Returns:
        What happened.

    Raises:
        ValueError: as `run_fn`, or `training.repeats` is not 1.
    """
    job, run = _job(fn_args, memory, on_epoch)
    if job.settings.repeats != 1:
        raise ValueError(f"training.repeats should be 1. Received: {job.settings.repeats}")
    return run.train(job).history


def _job(
    fn_args: "FnArgs",
    memory: Callable[[], int | None],
    on_epoch: Callable[[History], None] | None = None,
) -> tuple[TrainingJob, "_Run"]:
    """What is trained on what, and what the trainings of all seeds have in common."""
    config = fn_args.custom_config or {}
    contract, model_settings, training = read_settings(config)
    method = method_of(model_settings, training)
    check_workers(method, Cluster.of_environment().workers)
    check_warm_start(method, training)
    check_repeats(method, training)
    check_sharding(method, training)
    # Before anything else of TensorFlow's: several machines first find each other.
    strategy = choose_strategy()
    transformed = tft.TFTransformOutput(fn_args.transform_output)
    inputs = build_model_inputs(contract, transformed)
    given = GivenVectors(contract, vocabularies_of(contract, transformed))
    begun = Beginning.of(fn_args, contract, model_settings, training, transformed, inputs)
    model_settings = begun.model
    if begun.epochs is not None:
        training = training.model_copy(update={"epochs": begun.epochs})
    digest = training_digest(
        *(config[key] for key in SETTINGS_KEYS),
        *fn_args.train_files,
        *fn_args.eval_files,
        fn_args.transform_output,
        *([] if begun.folder is None else [begun.folder]),
    )
    checkpoints = CheckpointFolder(config[CHECKPOINT_ROOT], digest)
    workers = WorkerGroup(strategy)
    precision, said = agreed_precision(training, checkpoints, workers, strategy)
    shards, about_shards = shard_tables(
        training, model_settings, TRAINING_METHODS.get(method).shards, inputs, strategy
    )
    spec = transformed.transformed_feature_spec()
    patterns = {"train": fn_args.train_files, "validation": fn_args.eval_files}
    as_served = RowsAsServed.of(contract, transformed, inputs)
    sets, notes = example_sets(patterns, spec, training, checkpoints, workers, memory, as_served)
    job = TrainingJob(
        settings=training,
        inputs=inputs,
        build_model=lambda: given.given_to(build_model(inputs, model_settings)),
        train=sets["train"],
        validation=sets["validation"],
        checkpoints=checkpoints,
        strategy=strategy,
        on_epoch=on_epoch or (lambda history: history.write(fn_args.model_run_dir)),
        start=begun.start,
        shard_tables=shards,
    )
    said += about_shards
    said += [*given.notes, *training_only_notes(contract), *correction_notes(inputs.tasks), *notes]
    return job, _Run(method, precision, transformed, contract, begun, said, workers)


@dataclass(frozen=True)
class _Run:
    """What the trainings of all seeds have in common.

    Attributes:
        method: name of the training method.
        precision: what steps compute in.
        transformed: the transform that is trained on.
        contract: the data contract.
        begun: what they begin with.
        notes: what is to be said of features and examples.
        workers: that train together.
    """

    method: str
    precision: str
    transformed: tft.TFTransformOutput
    contract: DataContract
    begun: Beginning
    notes: list[str]
    workers: WorkerGroup

    def train(self, job: TrainingJob) -> TrainingResult:
        """Trains from the job's seed; the history holds what became of its beginning, too."""
        if self.workers.is_chief and self.begun.possible:
            folder = job.checkpoints.folder
            describe_checkpoint(folder, self.contract, self.begun.model, self.transformed)
        if self.begun.start is not None:
            self.begun.start.notes.clear()
        result = _train(job, self.method, self.precision)
        result.history.notes[:0] = [*self.begun.notes, *self.notes]
        return result

    def export(self, job: TrainingJob, result: TrainingResult, folder: str) -> None:
        """Writes the SavedModel, and into the history how long that took."""
        started = time.monotonic()
        _export(job, result, self.transformed, self.contract, self.begun, folder)
        result.history.seconds["export"] = time.monotonic() - started


def _export(
    job: TrainingJob,
    result: TrainingResult,
    transformed: tft.TFTransformOutput,
    contract: DataContract,
    begun: Beginning,
    folder: str,
) -> None:
    """Writes the SavedModel, and into it what a later training needs to begin with it."""
    model = rebuild(result.build_model or job.build_model, result.weights)
    kept, dropped = drop_training_parts(model, weight_names(model.variables))
    ServedModel(model, transformed, contract).save(folder)
    settings, state = result.model or begun.model, {**result.state, TRAINING_PARTS: dropped}
    # Of trees, too: a network that is to begin with them can then say what differs.
    write_base(folder, contract, settings, transformed, kept, state)


def _release(workers: WorkerGroup) -> None:
    """Lets the other workers go; the model is written, so that a lost one does no harm."""
    try:
        workers.wait()
    except tf.errors.OpError as error:
        logging.warning("a worker was lost after the export: %s", error)


def _train(job: TrainingJob, method: str, precision: str) -> TrainingResult:
    """Trains with the chosen method, under the chosen precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(POLICIES[precision])
    try:
        options = job.settings.method_options
        chosen: TrainingMethod = TRAINING_METHODS.build(method, options, job)
        return chosen.train()
    finally:
        keras.config.set_dtype_policy(before)


def rebuild(build: Callable[[], Scorer], weights: Sequence[Kept]) -> Scorer:
    """A copy of the trained model outside any strategy, in float32, as it is to be served."""
    # What trained holds its model in circles, and tables may be large.
    gc.collect()
    with tables_given():
        model = build()
    for variable, value in zip(model.variables, weights, strict=True):
        give(variable, value)
    return model


def drop_training_parts(model: Scorer, names: list[str]) -> tuple[list[str], dict[str, np.ndarray]]:
    """Drops what only the training needs.

    Args:
        model: to be exported.
        names: of its weights, in its order.

    Returns:
        The names of the weights that are left, in the model's order, and the others by name.
    """
    every = dict(zip(names, model.variables, strict=True))
    model.drop_training_parts()
    name_of = {id(variable): name for name, variable in every.items()}
    left = [name_of[id(variable)] for variable in model.variables]
    gone = [name for name in names if name not in left]
    return left, {name: keras.ops.convert_to_numpy(every[name]) for name in gone}
