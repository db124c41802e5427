"""A sample of the evaluated rows, as the model reads them, with their labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mtlx.components.example_batches import contract_columns, serialized_batches
from mtlx.components.model_insight.insights.insight import SEED
from mtlx.trainer.serving.export import ServedModel
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import DOMAIN_ID
from mtlx.transform.contract.rows.weight import ROW_WEIGHT

#: Rows that are read, or transformed, at once.
_BATCH_ROWS = 8192


@dataclass(frozen=True)
class EvaluatedRows:
    """Rows in random order.

    Attributes:
        examples: ``(N,)`` serialised raw `tf.Example`s.
        features: the model's inputs by name, ``(N, ...)``.
        labels: ``(N, T)`` float32.
        counts: ``(N, T)`` bool, where the row is in the task's population, its label is known and
            it weighs something.
        weights: ``(N, T)`` float32, what the row weighs in the task; None where all weigh 1.
        domains: ``(N,)`` int64, the rows' domains by their places.
        total: rows of the evaluated split.
    """

    examples: np.ndarray
    features: dict[str, np.ndarray]
    labels: np.ndarray
    counts: np.ndarray
    domains: np.ndarray
    total: int
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.examples)

    def first(self, number: int) -> "EvaluatedRows":
        """So many of them at most."""
        features = {name: values[:number] for name, values in self.features.items()}
        return EvaluatedRows(
            self.examples[:number],
            features,
            self.labels[:number],
            self.counts[:number],
            self.domains[:number],
            self.total,
            None if self.weights is None else self.weights[:number],
        )


def read_rows(
    groups: Mapping[tuple[str, ...], list[str]],
    served: ServedModel,
    contract: DataContract,
    limit: int,
    progress: Callable[[str], None],
) -> EvaluatedRows:
    """Reads all rows once and keeps a sample, the same one in every run.

    Args:
        groups: files, by the tasks whose labels are not known in them.
        served: parses and transforms rows.
        contract: the data contract.
        limit: rows that are kept at most.
        progress: is told how far it is.

    Raises:
        ValueError: there is no row, or one lacks a label.
    """
    sample = _Sample(limit)
    for place, files in enumerate(groups.values()):
        for batch in serialized_batches(files, _BATCH_ROWS):
            sample.add(batch.numpy(), place)
            progress(f"reading rows: {sample.total:,}")
    if not sample.total:
        raise ValueError("the evaluated split holds no examples: there is nothing to look into")
    examples, places = sample.drawn()
    labels = _labels(examples, contract)
    unknown = np.array(
        [[task in tasks for task in contract.tasks] for tasks in groups], bool
    )  # (groups, T)
    features = _features(examples, served, progress)
    domains = features.get(DOMAIN_ID, np.zeros(len(examples), np.int64))
    counts = _population(labels, contract) & ~unknown[places]
    weights = row_weights(examples, contract)
    if weights is not None:
        counts &= weights > 0
    return EvaluatedRows(
        examples, features, labels, counts, domains.astype(np.int64), sample.total, weights
    )


class _Sample:
    """Draws rows without knowing how many there are: those with the least random numbers.

    Args:
        limit: rows that are kept.

    Attributes:
        total: rows that were offered.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._random = limit, np.random.default_rng(SEED)
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._held = self.total = 0

    def add(self, examples: np.ndarray, place: int) -> None:
        """Offers rows of one group."""
        keys = self._random.random(len(examples))
        self._parts.append((keys, examples, np.full(len(examples), place)))
        self._held += len(examples)
        self.total += len(examples)
        if self._held > 2 * self._limit + _BATCH_ROWS:
            self._keep()

    def drawn(self) -> tuple[np.ndarray, np.ndarray]:
        """The rows in random order, and the group of each."""
        self._keep()
        keys, examples, places = self._parts[0]
        order = np.argsort(keys, kind="stable")
        return examples[order], places[order]

    def _keep(self) -> None:
        keys, examples, places = (
            np.concatenate(column) for column in zip(*self._parts, strict=True)
        )
        if len(keys) > self._limit:
            least = np.argpartition(keys, self._limit - 1)[: self._limit]
            keys, examples, places = keys[least], examples[least], places[least]
        self._parts, self._held = [(keys, examples, places)], len(keys)


def _features(
    examples: np.ndarray, served: ServedModel, progress: Callable[[str], None]
) -> dict[str, np.ndarray]:
    parts: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(examples), _BATCH_ROWS):
        # Not as one graph: to make and prepare it takes longer than it would save.
        batch = served.features(tf.constant(examples[start : start + _BATCH_ROWS]))
        for name, values in batch.items():
            parts.setdefault(name, []).append(values.numpy())
        progress(f"transforming rows: {start:,} of {len(examples):,}")
    return {name: np.concatenate(values) for name, values in parts.items()}


def _labels(examples: np.ndarray, contract: DataContract) -> np.ndarray:
    """Labels of all tasks ``(N, T)`` float32."""
    kinds = contract_columns(contract)
    names = {task.label: kinds[task.label] for task in contract.task_specs}
    spec = {name: tf.io.FixedLenFeature([], dtype) for name, dtype in names.items()}
    try:
        parsed = tf.io.parse_example(tf.constant(examples), spec)
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(f"an evaluated example lacks a label: {error.message}") from error
    columns = [tf.cast(parsed[task.label], tf.float32).numpy() for task in contract.task_specs]
    return np.stack(columns, axis=1)


def row_weights(examples: np.ndarray, contract: DataContract) -> np.ndarray | None:
    """What rows weigh in each task ``(N, T)`` float32; None where no column says it.

    Args:
        examples: ``(N,)`` serialised.
        contract: the data contract.
    """
    if not contract.weight_columns:
        return None
    spec = {name: tf.io.FixedLenFeature([], tf.float32, 1.0) for name in contract.weight_columns}
    parsed = tf.io.parse_example(tf.constant(examples), spec)
    columns = {name: values.numpy() for name, values in parsed.items()}
    everywhere = np.ones(len(examples), np.float32)
    of_rows = columns.get(ROW_WEIGHT, everywhere)
    of_tasks = [
        everywhere if task.weight is None else columns[task.weight] for task in contract.task_specs
    ]
    return np.stack(of_tasks, axis=1) * of_rows[:, np.newaxis]


def _population(labels: np.ndarray, contract: DataContract) -> np.ndarray:
    """Where each task is defined, ``(N, T)`` bool."""
    names = list(contract.tasks)
    columns = [
        labels[:, names.index(task.population)] > 0
        if task.population
        else np.ones(len(labels), bool)
        for task in contract.task_specs
    ]
    return np.stack(columns, axis=1)
