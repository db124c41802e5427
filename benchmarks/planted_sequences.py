"""Logs in which the sequences decide by a known rule, and how well a model learns it.

Used by `benchmarks.sequence_encoders` and by the encoders' tests. Labels are drawn with known
probabilities, so that the best possible AUC is known too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import (
    CategoricalInput,
    ModelInputs,
    SequenceInput,
    TaskSpec,
)

#: Longest sequence.
LENGTH = 6

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Planted:
    """A rule, and the sizes at which it is learnt.

    Attributes:
        draw: from a random generator, a number of rows and items to features by name, and one
            column per task ``(rows,)`` bool that says where the rule holds.
        sequences: names of the sequences.
        tasks: names of the tasks.
        items: number of ids, the two reserved ones included.
        rows: of an epoch; the same rows in every epoch.
        likely: probability of a label where the rule holds; where it does not, it is one minus
            this.
    """

    draw: Callable[[np.random.Generator, int, int], tuple[Columns, list[np.ndarray]]]
    sequences: tuple[str, ...] = ("clicks",)
    tasks: tuple[str, ...] = ("click",)
    items: int = 60
    rows: int = 40_000
    likely: float = 0.7

    @property
    def inputs(self) -> ModelInputs:
        """What a model is built from."""
        return ModelInputs(
            (CategoricalInput("item", self.items),),
            (),
            tuple(SequenceInput(name, "item", LENGTH) for name in self.sequences),
            "item",
            ("all",),
            tuple(TaskSpec(name, name) for name in self.tasks),
        )

    def sample(self, rows: int, seed: int) -> tuple[Columns, np.ndarray]:
        """Features and labels by name, and the labels' probabilities ``(rows, T)``."""
        random = np.random.default_rng(seed)
        columns, rules = self.draw(random, rows, self.items)
        probabilities = np.where(np.stack(rules, axis=1), self.likely, 1 - self.likely)
        labels = random.random(probabilities.shape) < probabilities
        labelled = {name: labels[:, task].astype("int64") for task, name in enumerate(self.tasks)}
        return {**columns, **labelled}, probabilities


def planted_sequence(random: np.random.Generator, rows: int, items: int) -> np.ndarray:
    """Sequences of 1 to `LENGTH` random ids, padded with 0 on the right: ``(rows, LENGTH)``."""
    lengths = random.integers(1, LENGTH + 1, rows)
    ids = random.integers(2, items, (rows, LENGTH))
    return np.where(np.arange(LENGTH) < lengths[:, None], ids, 0)


def put_target(random: np.random.Generator, ids: np.ndarray, item: np.ndarray) -> np.ndarray:
    """Puts the target into half of the sequences, at a random place; says where it is in."""
    rows = np.flatnonzero(random.random(len(ids)) < 0.5)
    lengths = (ids[rows] > 0).sum(axis=1)
    ids[rows, (random.random(len(rows)) * lengths).astype(int)] = item[rows]
    return (ids == item[:, None]).any(axis=1)


def _target_in_sequence(
    random: np.random.Generator, rows: int, items: int
) -> tuple[Columns, list[np.ndarray]]:
    item, clicks = random.integers(2, items, rows), planted_sequence(random, rows, items)
    rule = put_target(random, clicks, item)
    return {"item": item, "clicks": clicks}, [rule]


def _sequence_per_task(
    random: np.random.Generator, rows: int, items: int
) -> tuple[Columns, list[np.ndarray]]:
    item = random.integers(2, items, rows)
    sequences = {name: planted_sequence(random, rows, items) for name in ("clicks", "buys")}
    rules = [put_target(random, ids, item) for ids in sequences.values()]
    return {"item": item, **sequences}, rules


def _same_kind(
    random: np.random.Generator, rows: int, items: int
) -> tuple[Columns, list[np.ndarray]]:
    """All clicks of a row are of one of twenty kinds; the rule is whether the target is too."""
    kinds = 20
    clicks = planted_sequence(random, rows, items)
    kind = random.integers(0, kinds, rows)
    of_kind = clicks // kinds * kinds + kind[:, None]
    clicks = np.where(clicks > 0, np.clip(of_kind, 2, items - 1), 0)
    item = random.integers(2, items, rows)
    same = random.random(rows) < 0.5
    item = np.where(same, np.clip(item // kinds * kinds + kind, 2, items - 1), item)
    return {"item": item, "clicks": clicks}, [item % kinds == kind]


#: The label follows whether the target is among the clicks.
TARGET_IN_SEQUENCE = Planted(_target_in_sequence)
#: Each task's label follows whether the target is in that task's own sequence.
SEQUENCE_PER_TASK = Planted(
    _sequence_per_task, ("clicks", "buys"), ("click", "buy"), items=30, rows=20_000
)
#: Many items, few rows: what belongs together is seen in the sequences, hardly in the labels.
SAME_KIND = Planted(_same_kind, items=400, rows=4_000)


class Learning:
    """A model of a network over an encoder, trained on planted rows.

    Args:
        planted: the rule.
        encoder: registered name.
        options: of the encoder.
        scale: standard deviation of the embeddings at the start; None as the model has it.
        seed: of weights and training rows.
        learning_rate: of Adam.
        loss: terms of the loss; None for the model's own.
        build: makes another model than a Shared-Bottom over the encoder.
    """

    BATCH = 256
    TEST_ROWS = 10_000
    TEST_SEED = 10**6
    WIDTH = 16

    def __init__(
        self,
        planted: Planted,
        encoder: str,
        options: dict[str, Any] | None = None,
        *,
        scale: float | None = None,
        seed: int = 1,
        learning_rate: float = 4e-3,
        loss: list[dict[str, Any]] | None = None,
        build: Callable[[], keras.Model] | None = None,
    ) -> None:
        self._planted, self._scale = planted, scale
        settings = ModelSettings(
            network="shared_bottom",
            options={"bottom_hidden": [32], "tower_hidden": [16]},
            embedding_size=self.WIDTH,
            sequence_encoder=encoder,
            sequence_options=options or {},
        )
        self._build = build or (lambda: RankingModel(planted.inputs, settings))
        self.model = self._new_model(seed)
        training = TrainingSettings.read({"learning_rate": learning_rate, "loss": loss})
        self._step = OrdinaryStep(
            self.model, planted.inputs.tasks, training, tf.distribute.get_strategy()
        )
        self._draw_rows(seed)
        self._step.prepare(self._two_rows())
        self._state = [v for group in self._step.variables.values() for v in group]
        self._start = [np.array(variable) for variable in self._state]
        self._test, self._truth = planted.sample(self.TEST_ROWS, self.TEST_SEED)
        self._run = tf.function(self._steps, autograph=False)
        self._predict = tf.function(
            lambda batch: self.model(batch, training=False)["logits"], autograph=False
        )

    def _new_model(self, seed: int) -> keras.Model:
        keras.utils.set_random_seed(seed)
        model = self._build()
        if self._scale is not None:
            table = model.embedding.table
            table.assign(table / keras.ops.std(table) * self._scale)
        return model

    def _draw_rows(self, seed: int) -> None:
        self._seed, self._epoch = seed, 0
        columns, _ = self._planted.sample(self._planted.rows, seed)
        self._rows = {name: tf.constant(values) for name, values in columns.items()}

    def _two_rows(self) -> dict[str, tf.Tensor]:
        return {name: values[:2] for name, values in self._rows.items()}

    def start_again(self, seed: int) -> None:
        """Forgets all, and starts from another seed: sooner than anew, as the graph is there."""
        self._draw_rows(seed)
        model = self._new_model(seed)
        model(self._two_rows())
        for variable, value in zip(self.model.variables, model.variables, strict=True):
            variable.assign(value)
        for variable, start in zip(self._state, self._start, strict=True):
            variable.assign(start)

    def epoch(self) -> np.ndarray:
        """Takes one pass over the training rows; gives the tasks' AUCs ``(T,)`` on others."""
        self._epoch += 1
        random = np.random.default_rng((self._seed, self._epoch))
        self._run(self._rows, tf.constant(random.permutation(self._planted.rows)))
        return self._aucs_of(self._test)

    def aucs(self, seed: int) -> np.ndarray:
        """The tasks' AUCs ``(T,)`` now, on rows of another seed than those of the test."""
        return self._aucs_of(self._planted.sample(self.TEST_ROWS, seed)[0])

    def best(self) -> np.ndarray:
        """The tasks' AUCs ``(T,)`` of the labels' true probabilities on the test's rows."""
        return self._aucs(self._test, self._truth)

    def _aucs_of(self, rows: Columns) -> np.ndarray:
        tensors = {name: tf.constant(values) for name, values in rows.items()}
        return self._aucs(rows, self._predict(tensors).numpy())

    def _aucs(self, rows: Columns, scores: np.ndarray) -> np.ndarray:
        return np.array([
            area_under_curve(rows[name], scores[:, task])
            for task, name in enumerate(self._planted.tasks)
        ])  # fmt: skip

    def _steps(self, rows: dict[str, tf.Tensor], order: tf.Tensor) -> tf.Tensor:
        return take_steps(self._step, rows, order, self.BATCH)


def take_steps(
    train_step: OrdinaryStep, rows: dict[str, tf.Tensor], order: tf.Tensor, batch_size: int
) -> tf.Tensor:
    """All steps of an epoch as one graph, in which a step costs no Python.

    Args:
        train_step: what a step is; `OrdinaryStep.prepare` has been called.
        rows: columns ``(rows,)`` or ``(rows, L)`` by name.
        order: ``(n,)`` places of rows; those of a last, incomplete batch are left out.
        batch_size: rows of a step.

    Returns:
        The mean loss.
    """
    steps = order.shape[0] // batch_size
    columns = {name: tf.gather(values, order) for name, values in rows.items()}

    def body(step: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        start = step * batch_size
        batch = {name: values[start : start + batch_size] for name, values in columns.items()}
        with tf.GradientTape() as tape:
            loss = train_step.total(train_step.losses(batch))
        train_step.update(tape, loss)
        return step + 1, total + loss

    return tf.while_loop(lambda step, _: step < steps, body, (0, 0.0))[1] / steps
