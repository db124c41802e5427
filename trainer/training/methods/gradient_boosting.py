"""Gradient boosting: a LightGBM model per task, exported as trees."""

import time
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, NamedTuple

import lightgbm
import numpy as np
import tensorflow as tf
from absl import logging
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from mtlx.trainer.examples.input import ExampleSet
from mtlx.trainer.examples.labels import are_weighed, labels_and_mask
from mtlx.trainer.model.scores import probabilities_of_the_log
from mtlx.trainer.model.tree_model import TreeModel
from mtlx.trainer.training.job import TrainingJob, TrainingResult
from mtlx.trainer.training.methods.lightgbm_trees import tree_weights
from mtlx.trainer.training.methods.training_method import TrainingMethod
from mtlx.trainer.validation.history import History
from mtlx.trainer.validation.measure import Measure, measure
from mtlx.trainer.validation.selection import Selection
from mtlx.trainer.validation.validation import Validation, validate
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import DOMAIN_ID

#: Rows per read.
_BATCH = 65_536


class _Table(NamedTuple):
    """All rows of a split: inputs ``(n, C + N)`` float32, labels and populations ``(n, T)``.

    Weights are ``(n, T)`` float32, None where nothing weighs rows. Domains are ``(n,)``, 0
    where the selection does not ask for them.
    """

    inputs: np.ndarray
    labels: np.ndarray
    population: np.ndarray
    domains: np.ndarray
    weights: np.ndarray | None

    def own_weights(self, task: int) -> np.ndarray | None:
        """What the rows of a task's population count for, ``(n',)``."""
        return None if self.weights is None else self.weights[self.population[:, task], task]


class GradientBoosting(TrainingMethod):
    """Boosts trees on each task's population (LightGBM, Ke et al. 2017), no task with another.

    Log loss is what is boosted. A task keeps the trees up to its own best value of
    `training.select_by` on the validation split, and all trees where it has no such value; weights
    of tasks don't matter where each stops for itself. Fields with few ids are
    split by sets of ids; larger ones by the order of the ids, as LightGBM's documentation
    advises. Numbers that are missing keep to the better side.

    The rows of both splits are held in memory, four bytes per feature. Of the `training` section
    only the seed and the selection count: optimiser, batches, epochs, losses and weights of tasks
    are for gradients. An interrupted training starts anew.

    Shown to learn:
        A click that follows ids and numbers, and a conversion known of clicks alone: validation AUC
        above 0.75 and 0.70, each with the number of trees that is its own best
        (`test_gradient_boosting`).

    Args:
        job: what is trained on what; the model is network ``lightgbm``.
        trees: at most so many for each task.
        learning_rate: shrinkage of every tree.
        leaves: most leaves of a tree.
        rows_per_leaf: least rows in a leaf.
        l2: added to the sums of the second derivatives in a leaf.
        set_size: fields with at most so many ids are split by sets.
        patience: trees without a better value on the validation split before boosting stops.

    Raises:
        SettingsError: the model is of another network.
    """

    #: The trees of a task grow on all of its rows together, held in one machine's memory.
    one_machine: ClassVar[bool] = True
    #: Trees split by ids, whose order is that of one vocabulary; and none of them is ever changed.
    warm_starts: ClassVar[bool] = False
    #: Neither rows nor features are drawn: all seeds grow the same trees.
    seeded: ClassVar[bool] = False
    #: No gradient trains anything, and each task stops for itself.
    reads: ClassVar[frozenset[str] | None] = frozenset({"select_by"})

    def __init__(
        self,
        job: TrainingJob,
        *,
        trees: PositiveInt = 500,
        learning_rate: PositiveFloat = 0.05,
        leaves: Annotated[int, Field(ge=2)] = 31,
        rows_per_leaf: PositiveInt = 20,
        l2: NonNegativeFloat = 0.0,
        set_size: PositiveInt = 1024,
        patience: PositiveInt = 50,
    ) -> None:
        self._job, self._trees, self._patience = job, trees, patience
        self._tasks = job.inputs.tasks
        self._selection = Selection.of(job.settings, job.inputs)
        if not isinstance(job.build_model(), TreeModel):
            text = "'gradient_boosting' grows network 'lightgbm', which this model is not"
            raise SettingsError([(("method",), text)])
        self._set_size = set_size
        self._by_set = [
            index
            for index, field in enumerate(job.inputs.categorical)
            if field.cardinality <= set_size
        ]
        self._parameters = {
            "objective": "binary",
            # Not one of LightGBM's: the selection's own is watched.
            "metric": "None",
            "learning_rate": learning_rate,
            "num_leaves": leaves,
            "min_data_in_leaf": rows_per_leaf,
            "lambda_l2": l2,
            "seed": job.settings.seed,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }

    def train(self) -> TrainingResult:
        """Grows the trees of all tasks, one task after the other.

        Raises:
            ValueError: a task has no row to learn from.
        """
        job, history = self._job, History(devices=["CPU:0"])
        started = time.monotonic()
        train, validation = self._table(job.train), self._table(job.validation)
        history.seconds["input"] = time.monotonic() - started
        started = time.monotonic()
        boosters = [self._boost(index, train, validation) for index in range(len(job.inputs.tasks))]
        history.seconds["step"] = time.monotonic() - started
        shape, weights = tree_weights(boosters, self._set_size)
        history.parameters = shape.nodes
        self._record(history, boosters, train)
        job.on_epoch(history)

        def build_model() -> TreeModel:
            return TreeModel(job.inputs, shape=shape)

        grown = build_model()
        return TrainingResult(
            [weights[variable.name] for variable in grown.variables], history, build_model
        )

    def _table(self, examples: ExampleSet) -> _Table:
        parts, weighed = [], False
        for batch in examples.in_order(_BATCH):
            weighed = are_weighed(batch, self._tasks)
            labels, mask = (part.numpy() for part in labels_and_mask(batch, self._tasks))
            asked = bool(self._selection.domains)
            domains = batch[DOMAIN_ID].numpy() if asked else np.zeros(len(labels), np.int64)
            parts.append((self._inputs(batch), labels, mask > 0, domains, mask))
        inputs, labels, population, domains, weights = (
            np.concatenate(part) for part in zip(*parts, strict=True)
        )
        return _Table(inputs, labels, population, domains, weights if weighed else None)

    def _inputs(self, batch: Mapping[str, tf.Tensor]) -> np.ndarray:
        """Ids and numbers in the order of the model's."""
        fields = self._job.inputs.fields
        return np.stack([batch[field.name].numpy().astype(np.float32) for field in fields], axis=1)

    def _boost(self, task: int, train: _Table, validation: _Table) -> lightgbm.Booster:
        name = self._tasks[task].name
        if not train.population[:, task].any():
            raise ValueError(f"the training split has no row in the population of task {name!r}")
        data = self._dataset(train, task)
        watched: dict[str, Any] = {}
        if self._selects(task, validation):
            stop = lightgbm.early_stopping(self._patience, verbose=False)
            watched = {
                "valid_sets": [self._dataset(validation, task, reference=data)],
                "feval": lambda scores, _: self._value(
                    task, validation, self._of_the_log(task, scores)
                ),
                "callbacks": [stop],
            }
        booster = lightgbm.train(self._parameters, data, self._trees, **watched)
        logging.info("task %s: %d trees", name, booster.best_iteration or booster.num_trees())
        return booster

    def _selects(self, task: int, validation: _Table) -> bool:
        """Whether a value of the task can be told on the validation split."""
        labels = validation.labels[validation.population[:, task], task]
        own = self._selection.of_one_task(self._tasks[task].name)
        return own.selects(self._validation_of(task, validation, np.zeros(labels.size)))

    def _value(self, task: int, validation: _Table, scores: np.ndarray) -> tuple[str, float, bool]:
        """What LightGBM stops by: name, value of the probabilities, whether higher is better."""
        own = self._selection.of_one_task(self._tasks[task].name)
        found = own.score(self._validation_of(task, validation, scores)).value
        return own.name, found, not own.lower_is_better

    def _of_the_log(self, task: int, scores: np.ndarray) -> np.ndarray:
        """Probabilities of rows that were not drawn, of what is boosted on drawn ones."""
        return probabilities_of_the_log(scores, self._tasks[task].kept_negatives)

    def _validation_of(self, task: int, validation: _Table, scores: np.ndarray) -> Validation:
        """Measures of one task, from probabilities of the rows in its population."""
        rows, name = validation.population[:, task], self._tasks[task].name
        labels, domains = validation.labels[rows, task], validation.domains[rows]
        weights, with_auc = validation.own_weights(task), self._selection.needs_auc

        def measured(own: np.ndarray) -> Measure:
            of_rows = None if weights is None else weights[own]
            return measure(labels[own], scores[own], with_auc, of_rows)

        return Validation(
            {name: measured(np.ones(labels.size, bool))},
            domains={
                domain: {name: measured(own)}
                for index, domain in enumerate(self._selection.domains)
                for own in [domains == index]
            },
        )

    def _dataset(
        self, table: _Table, task: int, reference: lightgbm.Dataset | None = None
    ) -> lightgbm.Dataset:
        rows = table.population[:, task]
        return lightgbm.Dataset(
            table.inputs[rows],
            table.labels[rows, task],
            weight=table.own_weights(task),
            categorical_feature=self._by_set,
            reference=reference,
            params={"verbosity": -1},
        )

    def _record(self, history: History, boosters: list[lightgbm.Booster], train: _Table) -> None:
        """One epoch, and the result on the validation split."""

        def predict(batch: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            inputs = self._inputs(batch)
            columns = [
                self._of_the_log(task, booster.predict(inputs))
                for task, booster in enumerate(boosters)
            ]
            return {"probabilities": tf.constant(np.stack(columns, axis=1), tf.float32)}

        started = time.monotonic()
        batches, domains = self._job.validation.in_order(_BATCH), self._selection.domains
        validation = validate(predict, batches, self._tasks, domains)
        history.seconds["validation"] = time.monotonic() - started
        losses = {
            task.name: self._train_loss(index, booster, train)
            for index, (task, booster) in enumerate(zip(self._tasks, boosters, strict=True))
        }
        # Without a value nothing was chosen; all trees are there.
        told = self._selection.selects(validation)
        score = self._selection.score(validation) if told else None
        seconds = history.seconds["step"]
        history.epochs.append(
            {
                "epoch": 1,
                "loss": sum(losses.values()),
                "task_loss": losses,
                "validation_auc": validation.auc,
                "validation_loss": validation.loss,
                "selection": score and score.value,
                "task_selection": score.tasks if score else {},
                "seconds": seconds,
                "input_seconds": history.seconds["input"],
                "examples": len(train.inputs),
                "examples_per_second": len(train.inputs) / max(seconds, 1e-9),
            }
        )
        history.best_epoch = 1
        history.selection = self._selection.record(validation)
        for task in self._tasks:
            own = self._selection.of_one_task(task.name)
            history.warnings += own.warnings(validation.of_task(task.name))
        for warning in history.warnings:
            logging.warning(warning)
        history.kept = (
            "Each task keeps its trees up to the best value on the validation split by "
            f"{self._selection.name}, where it has one."
        )
        for task, booster in zip(self._tasks, boosters, strict=True):
            trees = booster.best_iteration or booster.num_trees()
            history.notes.append(f"Task {task.name}: {trees} trees.")

    def _train_loss(self, task: int, booster: lightgbm.Booster, train: _Table) -> float | None:
        rows = train.population[:, task]
        predicted = booster.predict(train.inputs[rows])
        labels, weights = train.labels[rows, task], train.own_weights(task)
        return measure(labels, predicted, with_auc=False, weights=weights).loss
