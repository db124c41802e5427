"""TFMA extractors over whole batches: labels and populations, predictions, slices and users."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import apache_beam as beam
import numpy as np
import pandas as pd
import pyarrow as pa
import tensorflow as tf
import tensorflow_model_analysis as tfma

from mtlx.components.side_by_side import SideBySide
from mtlx.components.slice_evaluation.evaluation_batch import (
    GROUPINGS_KEY,
    REQUESTS_KEY,
    SLICE_COLUMNS_KEY,
    USERS_KEY,
)
from mtlx.components.slice_evaluation.known_labels import UNKNOWN_TASKS_KEY
from mtlx.components.slice_evaluation.models.sampled_predictions import SAMPLE_KEY, sample_batch
from mtlx.components.slice_evaluation.models.served_model import ServedModel
from mtlx.components.slice_evaluation.slices import SliceCross, encode_feature, slice_columns
from mtlx.transform.contract.model_inputs import TaskSpec
from mtlx.transform.contract.rows.weight import ROW_WEIGHT

#: Tells the hashes of requests without a user from those of users.
_WITHOUT_USER = np.uint64(0x9E3779B97F4A7C15)


def labels_extractor(tasks: tuple[TaskSpec, ...]) -> tfma.extractors.Extractor:
    """Adds per task the labels (B,) float32, and as weight what the row counts for: 1 where nothing
    weighs it; 0 where the population does not hold it or the label is not known.

    A row without a task's label, or with one that is neither 0 nor 1, is an error; of a regression
    one that is no finite number.
    """
    return tfma.extractors.Extractor(
        stage_name="ExtractTaskLabels", ptransform=beam.Map(_add_labels, tasks)
    )


def slices_extractor(
    crosses: list[SliceCross],
    user_key: str | None,
    groupings: list[str],
    request_key: str | None = None,
) -> tfma.extractors.Extractor:
    """Adds the slice columns, 64-bit hashes of users, requests and grouping features' values.

    Args:
        crosses: the configured slices.
        user_key: the users' feature, or None.
        groupings: see `EvaluationBatch.groupings`.
        request_key: the requests' feature, or None.
    """
    return tfma.extractors.Extractor(
        stage_name="ExtractSliceColumns",
        ptransform=beam.Map(_add_slices, crosses, user_key, groupings, request_key),
    )


def predictions_extractor(
    models: dict[str, ServedModel], tasks: tuple[str, ...]
) -> tfma.extractors.Extractor:
    """Adds per model and task the served probabilities (B,) float32, and drops the raw rows.

    All models see the same batch, so that they are compared on the same examples. A task in which
    a model is not compared has NaN throughout. Of the raw rows a sample stays, with the
    candidate's predictions.
    """
    return tfma.extractors.Extractor(
        stage_name="ExtractServedPredictions", ptransform=beam.ParDo(_Predict(models, tasks))
    )


def _add_labels(extracts: tfma.types.Extracts, tasks: tuple[TaskSpec, ...]) -> tfma.types.Extracts:
    batch = extracts[tfma.ARROW_RECORD_BATCH_KEY]
    columns = {task.name: _label(batch, task) for task in tasks}
    everywhere = np.ones(batch.num_rows, np.float32)
    weights = {
        task.name: columns[task.population] if task.population else everywhere for task in tasks
    }
    rows = _weight(batch, ROW_WEIGHT) if ROW_WEIGHT in batch.schema.names else None
    for task in tasks:
        if task.weight is not None:
            weights[task.name] = weights[task.name] * _weight(batch, task.weight)
        if rows is not None:
            weights[task.name] = weights[task.name] * rows
    weights |= {task: 0 * everywhere for task in extracts.get(UNKNOWN_TASKS_KEY, ())}
    for task in tasks:
        if task.is_regression:
            columns[task.name] = _numbers(columns[task.name], weights[task.name], task)
    return {**extracts, tfma.LABELS_KEY: columns, tfma.EXAMPLE_WEIGHTS_KEY: weights}


def _weight(batch: pa.RecordBatch, name: str) -> np.ndarray:
    """A column of weights; that none is negative is looked at where they come together."""
    column = batch.column(batch.schema.get_field_index(name))
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    if (lengths != 1).any():
        raise ValueError(
            f"{name!r}: {int((lengths != 1).sum())} of {batch.num_rows} examples do not have "
            "exactly one weight; ingest the log anew"
        )
    return column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)


def _label(batch: pa.RecordBatch, task: TaskSpec) -> np.ndarray:
    column = batch.column(batch.schema.get_field_index(task.label))
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    if (lengths != 1).any():
        raise ValueError(
            f"label {task.label!r} of task {task.name!r}: {int((lengths != 1).sum())} of "
            f"{batch.num_rows} examples do not have exactly one value; the examples must come "
            "from a log that holds every label column"
        )
    values = column.flatten().to_numpy(zero_copy_only=False)
    wrong = (values != 0) & (values != 1)
    if wrong.any() and not task.is_regression:
        raise ValueError(
            f"label {task.label!r} of task {task.name!r} has the value {values[wrong][0]}; "
            "a label is 0 or 1"
        )
    return values.astype(np.float32)


def _numbers(labels: np.ndarray, weights: np.ndarray, task: TaskSpec) -> np.ndarray:
    """Labels that are numbers, 0 on the rows that do not count, which may have none."""
    wrong = ~np.isfinite(labels) & (weights > 0)
    if wrong.any():
        raise ValueError(
            f"label {task.label!r} of task {task.name!r} is no finite number in {int(wrong.sum())} "
            f"of {len(labels)} examples of its population"
        )
    return np.where(weights > 0, labels, np.float32(0))


def _add_slices(
    extracts: tfma.types.Extracts,
    crosses: list[SliceCross],
    user_key: str | None,
    groupings: list[str],
    request_key: str | None = None,
) -> tfma.types.Extracts:
    batch = extracts[tfma.ARROW_RECORD_BATCH_KEY]
    added: dict[str, Any] = {SLICE_COLUMNS_KEY: slice_columns(batch, crosses)}
    requests = None
    if request_key is not None:
        requests = added[REQUESTS_KEY] = _hashes(batch, request_key)[0]
    if user_key is not None:
        added[USERS_KEY] = _users(batch, user_key, requests)
    if groupings:
        added[GROUPINGS_KEY] = {name: _hashes(batch, name)[0] for name in groupings}
    return {**extracts, **added}


def _users(batch: pa.RecordBatch, user_key: str, requests: np.ndarray | None = None) -> np.ndarray:
    users, missing = _hashes(batch, user_key)
    if requests is not None:
        # A request without a user stays together, and is no user of the same name.
        users = np.where(missing, requests ^ _WITHOUT_USER, users)
        missing &= requests == 0
    if missing.any():
        # Rows without a user are independent of each other: each is its own cluster.
        users[missing] = pd.util.hash_array(np.array(raw_examples(batch), dtype=object)[missing])
    return users


def _hashes(batch: pa.RecordBatch, feature: str) -> tuple[np.ndarray, np.ndarray]:
    """Hash of each row's value ``(B,)`` uint64, 0 where there is none; and where that is."""
    codes, values = encode_feature(batch, feature)
    hashes = pd.util.hash_array(np.array([*values, ""], dtype=object))[codes]
    return np.where(codes < 0, np.uint64(0), hashes), codes < 0


def raw_examples(batch: pa.RecordBatch) -> list[bytes]:
    """Returns the serialised examples of a batch."""
    index = batch.schema.get_field_index(tfma.constants.ARROW_INPUT_COLUMN)
    return batch.column(index).flatten().to_pylist()


class _Predict(SideBySide):
    """Calls every model once per batch, two names of one model once, and all at the same time.

    Meanwhile the next batch is read, and earlier ones are evaluated.
    """

    def __init__(self, models: dict[str, ServedModel], tasks: tuple[str, ...]):
        super().__init__(self._predicted)
        self._models, self._tasks = models, tasks
        self._calls: ThreadPoolExecutor

    def setup(self) -> None:
        super().setup()
        # Where this is another process than the executor's, nobody else switches it.
        tf.config.experimental.enable_tensor_float_32_execution(False)
        # Much of a model's graph is not parallel in itself: texts are looked at one by one.
        self._calls = ThreadPoolExecutor(self._limit * len(self._models))
        for model in self._models.values():
            model.load()

    def teardown(self) -> None:
        super().teardown()
        self._calls.shutdown()

    def _predicted(self, extracts: tfma.types.Extracts) -> tfma.types.Extracts:
        batch = extracts[tfma.ARROW_RECORD_BATCH_KEY]
        examples = raw_examples(batch)
        different: dict[tuple[str, tuple[str, ...]], ServedModel] = {}
        for model in self._models.values():
            different.setdefault((model.path, model.tasks), model)
        found = self._calls.map(lambda model: model.predict(examples), different.values())
        called = dict(zip(different, found, strict=True))
        nothing = np.full(len(examples), np.nan, np.float32)
        predictions = {
            name: {task: called[model.path, model.tasks].get(task, nothing) for task in self._tasks}
            for name, model in self._models.items()
        }
        kept = {key: value for key, value in extracts.items() if key != tfma.ARROW_RECORD_BATCH_KEY}
        # The candidate is the first.
        sample = sample_batch(examples, next(iter(predictions.values())))
        return {**kept, tfma.PREDICTIONS_KEY: predictions, SAMPLE_KEY: sample}
