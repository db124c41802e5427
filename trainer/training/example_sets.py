"""The examples of a training's splits, kept in memory where the settings say so and they fit."""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf
from absl import logging

from mtlx.trainer.distribution.worker_group import WorkerGroup
from mtlx.trainer.examples.block_memory import CacheChoice, choose_cache, estimate_block_memory
from mtlx.trainer.examples.input import ExampleSet, Rows
from mtlx.trainer.settings import TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder


def example_sets(
    patterns: Mapping[str, Sequence[str]],
    feature_spec: dict[str, tf.io.FixedLenFeature],
    training: TrainingSettings,
    checkpoints: CheckpointFolder,
    workers: WorkerGroup,
    memory: Callable[[], int | None],
    as_served: Callable[[Rows], Rows] | None = None,
) -> tuple[dict[str, ExampleSet], list[str]]:
    """Opens all splits.

    The order of batches depends on what is kept in memory. So all workers keep the same splits,
    those that fit on each of them, and a resumed training keeps none that it did not keep before.

    Args:
        patterns: file patterns of gzip TFRecords by split.
        feature_spec: parsing spec of the transformed examples.
        training: its settings.
        checkpoints: of the training.
        workers: that train together.
        memory: how many bytes this process may still take, None where nobody knows.
        as_served: makes of rows what a served model would be given of them, for the splits that
            judge and do not train; None where that is the same.

    Returns:
        The examples by split, and a sentence for each split that does not fit.

    Raises:
        FileNotFoundError: no file matches.
        ValueError: the files of a split hold no example.
    """
    kept = dict.fromkeys(patterns, False)
    notes: list[str] = []
    if training.cache == "memory":
        needed = {
            split: estimate_block_memory(files, feature_spec, training.shuffle_rows)
            for split, files in patterns.items()
        }
        kept, notes = _agreed(choose_cache(needed, memory()), checkpoints, workers)
    sets = {
        split: ExampleSet(
            files,
            feature_spec,
            training.shuffle_rows,
            kept[split],
            None if split == "train" else as_served,
        )
        for split, files in patterns.items()
    }
    return sets, notes


def _agreed(
    choice: CacheChoice, checkpoints: CheckpointFolder, workers: WorkerGroup
) -> tuple[dict[str, bool], list[str]]:
    """What all workers keep, and what is to be said of the rest."""
    splits = list(choice.kept)
    before = workers.chiefs_value(checkpoints.not_kept())
    lacks = workers.any_of([not choice.kept[split] or split in before for split in splits])
    kept = {split: not lacking for split, lacking in zip(splits, lacks, strict=True)}
    notes = []
    for split in [split for split in splits if not kept[split]]:
        note = choice.notes.get(split)
        if note is None:
            why = "it was not before the interruption" if split in before else "not on every worker"
            note = f"Split {split} would fit into memory, but is not kept ({why})."
        if checkpoints.exists and split not in before:
            note += " Its batches come in another order than before the interruption."
        notes.append(note)
        logging.warning(note)
    if notes and workers.is_chief:
        checkpoints.note_not_kept([split for split in splits if not kept[split]])
    return kept, notes
