"""What steps of meta-learning give that ordinary steps do not, where tasks share all and a network.

    python -m benchmarks.meta_step            # both tables, Markdown

- Opposite tasks share one logit: a label follows the product of two of eight numbers, the other one
  its opposite. What is common to them is a direction that neither can go without the other's harm.
- MAN on the planted log `transfer` of `benchmarks.planted_networks`, whose tasks have towers of
  their own, with few rows and with many: three epochs of ordinary steps, then as many of either.

The AUC is of the model as it is, which is what is served, and of the model after one step of a task
on rows that were not trained on.
"""

import argparse
import os
from dataclasses import replace

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from benchmarks.planted_networks import DATA, OPTIONS
from benchmarks.planted_sequences import Columns
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.meta_step import MetaStep
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import TaskSpec

OPPOSITE = (TaskSpec("like", "like"), TaskSpec("dislike", "dislike"))
BATCH, HELD_OUT_ROWS = 256, 10_000


class OneLogit(GradientModel):
    """A hidden layer and one logit, which is that of both tasks."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = keras.layers.Dense(16, activation="relu")
        self.output_layer = keras.layers.Dense(1)

    def call(
        self, features: dict[str, keras.KerasTensor], training: bool = False
    ) -> dict[str, keras.KerasTensor]:
        """Numbers ``(B, 8)`` to "logits" and "probabilities" ``(B, 2)``."""
        logits = ops.repeat(self.output_layer(self.hidden(features["numbers"])), 2, axis=1)
        return {"logits": logits, "probabilities": ops.sigmoid(logits)}


def opposite_tasks(rows: int, seed: int) -> tuple[Columns, np.ndarray]:
    """Features and labels of `OPPOSITE` by name, and the log odds ``(rows, 2)``."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(rows, 8)).astype("float32")
    product = 3.0 * numbers[:, 0] * numbers[:, 1]
    log_odds = np.stack([product, -product], axis=1)
    labels = (random.random(log_odds.shape) < 1 / (1 + np.exp(-log_odds))).astype("int64")
    return {"numbers": numbers, "like": labels[:, 0], "dislike": labels[:, 1]}, log_odds


class MetaLearning:
    """A model that takes ordinary steps and steps of `MetaStep` on rows in memory.

    Args:
        model: what is trained.
        tasks: whose labels are among the rows.
        columns: features and labels by name.
        rate: α, the length of a task's own step.
        seed: of the rows' order.
        settings: of the training.
    """

    def __init__(
        self,
        model: keras.Model,
        tasks: tuple[TaskSpec, ...],
        columns: Columns,
        rate: float,
        seed: int,
        settings: TrainingSettings,
    ) -> None:
        self.model, self._tasks, self._columns, self._rate = model, tasks, columns, rate
        self._random = np.random.default_rng(seed)
        strategy = tf.distribute.get_strategy()
        self._ordinary = OrdinaryStep(model, tasks, settings, strategy)
        self._meta = MetaStep(self._ordinary, model, strategy, rate, second_order=False)
        self._ordinary.prepare(_tensors({name: values[:4] for name, values in columns.items()}))

    def steps(self, count: int, meta: bool) -> None:
        """Takes so many steps of either kind, each on a batch drawn anew."""
        rows = len(next(iter(self._columns.values())))
        step = self._meta if meta else self._ordinary
        for _ in range(count):
            chosen = self._random.integers(0, rows, BATCH)
            step(_tensors({name: values[chosen] for name, values in self._columns.items()}))

    def auc(self, task: int, held_out: Columns, support: Columns | None = None) -> float:
        """On held-out rows, after one step of the task on other rows where these are given."""
        start = [np.array(weight) for weight in self.model.trainable_variables]
        if support is not None:
            self._adapt(task, _tensors(support))
        scores = np.asarray(self.model(_tensors(held_out))["logits"])[:, task]
        for weight, value in zip(self.model.trainable_variables, start, strict=True):
            weight.assign(value)
        return area_under_curve(held_out[self._tasks[task].label], scores)

    def _adapt(self, task: int, support: dict[str, tf.Tensor]) -> None:
        weights = self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss = self._ordinary.losses(support)[task]
        gradients = tape.gradient(
            loss,
            [weight.value for weight in weights],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.assign_sub(self._rate * tf.convert_to_tensor(gradient))


def _tensors(columns: Columns) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values) for name, values in columns.items()}


def opposite_aucs(meta: bool, seed: int, steps: int = 600, rate: float = 1.0) -> list[float]:
    """Mean AUC of both opposite tasks: of the model, adapted on 128 rows, and the best possible."""
    keras.utils.set_random_seed(seed)
    columns, _ = opposite_tasks(10_000, seed)
    settings = TrainingSettings.read(
        {"learning_rate": 0.01, "loss": [{"name": "binary_cross_entropy"}]}
    )
    learning = MetaLearning(OneLogit(), OPPOSITE, columns, rate, seed, settings)
    learning.steps(steps, meta)
    held_out, log_odds = opposite_tasks(HELD_OUT_ROWS, 10**6)
    support, _ = opposite_tasks(128, seed + 100)
    best = [
        area_under_curve(held_out[task.label], log_odds[:, place])
        for place, task in enumerate(OPPOSITE)
    ]
    return [
        float(np.mean([learning.auc(task, held_out) for task in range(2)])),
        float(np.mean([learning.auc(task, held_out, support) for task in range(2)])),
        float(np.mean(best)),
    ]


def network_aucs(rows: int, meta: bool, rate: float, seed: int) -> list[float]:
    """AUC of MAN's conversion on all rows: of the model, adapted on 256 rows, the best possible."""
    planted = replace(DATA["transfer"], rows=rows)
    keras.utils.set_random_seed(seed)
    settings = ModelSettings(network="man", options=OPTIONS["man"], embedding_size=8)
    columns, _ = planted.sample(rows, seed)
    training = TrainingSettings.read({"learning_rate": 4e-3})
    learning = MetaLearning(
        RankingModel(planted.inputs, settings),
        planted.inputs.tasks,
        columns,
        rate,
        seed,
        training,
    )
    epochs = 3 * rows // BATCH
    learning.steps(epochs, meta=False)
    learning.steps(epochs, meta)
    held_out, truth = planted.sample(HELD_OUT_ROWS, 10**6)
    support, _ = planted.sample(BATCH, seed + 100)
    label = planted.inputs.tasks[planted.measured].label
    return [
        learning.auc(planted.measured, held_out),
        learning.auc(planted.measured, held_out, support),
        area_under_curve(held_out[label], truth[:, planted.measured]),
    ]


def main() -> None:
    """Prints both tables, a row as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    seeds = parser.parse_args().seeds
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print("| | steps | as it is | adapted | best possible |\n|---|---|---|---|---|")
    for meta in (False, True):
        _print("opposite tasks, one logit", meta, 1.0, [opposite_aucs(meta, s) for s in seeds])
    for rows in (2_048, 12_288):
        for meta, rate in ((False, 0.01), (True, 0.01), (True, 0.5)):
            runs = [network_aucs(rows, meta, rate, seed) for seed in seeds]
            _print(f"MAN, {rows:,} rows", meta, rate, runs)


def _print(name: str, meta: bool, rate: float, runs: list[list[float]]) -> None:
    way = f"meta, α = {rate}" if meta else "ordinary"
    own, adapted = (" ".join(f"{run[place]:.3f}" for run in runs) for place in range(2))
    print(f"| {name} | {way} | {own} | {adapted} | {runs[0][2]:.3f} |", flush=True)


if __name__ == "__main__":
    main()
