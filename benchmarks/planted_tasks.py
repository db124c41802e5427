"""Rows of several tasks whose labels follow combinations of ids, and how well they are learnt.

Used by `benchmarks.task_sensitive` and by tests. Labels are drawn with known probabilities, so that
the best possible AUC is known too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.planted_sequences import Columns, take_steps
from mtlx.trainer.model.gradient_model import GradientModel
from mtlx.trainer.model.ranking_model import RankingModel
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.ordinary_step import OrdinaryStep
from mtlx.trainer.validation.area_under_curve import area_under_curve
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

#: Of every field; two ids are reserved.
IDS = 42
FIELDS = ("user", "item", "context")


def combination(name: str, first: str, second: str, columns: Columns) -> np.ndarray:
    """A number per row that hangs on two fields' ids together and on neither of them alone.

    Args:
        name: which combination; the same name gives the same numbers for the same ids.
        first: one of the fields.
        second: the other one.
        columns: the ids ``(rows,)``.

    Returns:
        ``(rows,)`` of mean 0 and variance 1 over all pairs of ids.
    """
    random = np.random.default_rng([ord(letter) for letter in name])
    factors = random.normal(size=(2, IDS, 3))
    pairs = factors[0] @ factors[1].T
    pairs -= pairs.mean(axis=0)
    pairs -= pairs.mean(axis=1, keepdims=True)
    return (pairs / pairs.std())[columns[first], columns[second]]


@dataclass(frozen=True)
class PlantedChain:
    """Tasks in a chain, each on the rows on which the one before it happened.

    Attributes:
        logits: from the ids and the earlier tasks' probabilities ``(rows,)`` by name to the
            logits of each task.
        rates: by task, about which share of its population is positive.
    """

    logits: Mapping[str, Callable[[Columns, Columns], np.ndarray]]
    rates: Mapping[str, float]

    @property
    def inputs(self) -> ModelInputs:
        """What a model is built from."""
        names = list(self.logits)
        before = [None, *names[:-1]]
        return ModelInputs(
            tuple(CategoricalInput(name, IDS) for name in FIELDS),
            (),
            (),
            None,
            ("all",),
            tuple(TaskSpec(*spec) for spec in zip(names, names, before, before, strict=True)),
        )

    def sample(self, rows: int, seed: int) -> tuple[Columns, Columns]:
        """Ids and labels by name, and the labels' probabilities by task, all ``(rows,)``."""
        random = np.random.default_rng(seed)
        columns = {name: random.integers(2, IDS, rows) for name in FIELDS}
        probabilities: Columns = {}
        happened = np.ones(rows, bool)
        labels: Columns = {}
        for name, logits in self.logits.items():
            values = logits(columns, probabilities)
            start = np.log(self.rates[name] / (1 - self.rates[name]))
            probabilities[name] = 1 / (1 + np.exp(-values - start))
            happened = happened & (random.random(rows) < probabilities[name])
            labels[name] = happened.astype("int64")
        return {**columns, **labels}, probabilities

    def population(self, task: str, rows: int, seed: int) -> tuple[Columns, np.ndarray]:
        """So many rows of a task's population, and the task's probabilities on them."""
        names = list(self.logits)
        before = names[: names.index(task)]
        drawn = int(1.5 * rows / np.prod([self.rates[name] for name in before]))
        columns, probabilities = self.sample(drawn, seed)
        inside = np.ones(drawn, bool) if not before else columns[before[-1]] == 1
        chosen = np.flatnonzero(inside)[:rows]
        found = {name: values[chosen] for name, values in columns.items()}
        return found, probabilities[task][chosen]


class Given(GradientModel):
    """A network on fields that are given, not embedded: ``fields`` ``(B, F, k)``, ``domain_id``.

    Args:
        network: is called with them.
    """

    def __init__(self, network: keras.Layer):
        super().__init__()
        self.network = network

    def call(
        self, features: Mapping[str, keras.KerasTensor], training: bool = False
    ) -> dict[str, keras.KerasTensor]:
        """The network's outputs, with "domain_id" for losses that ask for it."""
        fields, domains = features["fields"], features["domain_id"]
        outputs = self.network(fields, domains[:, None], domains, training=training)
        return {**outputs, "domain_id": domains}


class Training:
    """Passes of a model over rows in memory.

    Args:
        model: takes a dict of features, gives a dict.
        tasks: whose labels are among the rows.
        columns: features and labels by name.
        seed: of the rows' order.
        batch_size: rows of a step.
        settings: other settings of the training.
    """

    def __init__(
        self,
        model: keras.Model,
        tasks: tuple[TaskSpec, ...],
        columns: Columns,
        *,
        seed: int = 1,
        batch_size: int = 256,
        **settings: Any,
    ) -> None:
        self.model = model
        self.step = OrdinaryStep(
            model, tasks, TrainingSettings.read(settings), tf.distribute.get_strategy()
        )
        self._take(columns, seed)
        self.step.prepare(self._two_rows())
        self._state = [v for group in self.step.variables.values() for v in group]
        self._start = [np.array(variable) for variable in self._state]
        self._run = tf.function(
            lambda rows, order: take_steps(self.step, rows, order, batch_size), autograph=False
        )
        self._call = tf.function(lambda batch: model(batch, training=False), autograph=False)

    def _take(self, columns: Columns, seed: int) -> None:
        self._seed, self._epoch = seed, 0
        self._rows = {name: tf.constant(values) for name, values in columns.items()}

    def _two_rows(self) -> dict[str, tf.Tensor]:
        return {name: values[:2] for name, values in self._rows.items()}

    def start_again(self, model: keras.Model, columns: Columns, seed: int) -> None:
        """Starts from a new model's weights on other rows: sooner than anew, in the same graph.

        Args:
            model: another one of the same parts.
            columns: as many rows as before.
            seed: of their order.
        """
        self._take(columns, seed)
        model(self._two_rows())
        for variable, value in zip(self.model.variables, model.variables, strict=True):
            variable.assign(value)
        for variable, start in zip(self._state, self._start, strict=True):
            variable.assign(start)

    def epochs(self, count: int = 1) -> None:
        """Takes so many passes."""
        rows = len(next(iter(self._rows.values())))
        for _ in range(count):
            self._epoch += 1
            order = np.random.default_rng((self._seed, self._epoch)).permutation(rows)
            self._run(self._rows, tf.constant(order))

    def predict(self, columns: Columns) -> dict[str, np.ndarray]:
        """The model's outputs on rows."""
        outputs = self._call({name: tf.constant(values) for name, values in columns.items()})
        return {name: values.numpy() for name, values in outputs.items()}


class ChainLearning:
    """A network that learns a planted chain, with embeddings of `WIDTH`.

    Args:
        planted: the chain.
        network: registered name.
        options: of the network.
        task: whose AUC is taken, on rows of its population.
        rows: of an epoch; the same rows in every epoch.
        seed: of weights and training rows.
        learning_rate: of Adam.
    """

    HELD_OUT_ROWS = 20_000
    WIDTH = 8

    def __init__(
        self,
        planted: PlantedChain,
        network: str,
        options: dict[str, Any],
        task: str,
        *,
        rows: int = 40_000,
        seed: int = 1,
        learning_rate: float = 3e-3,
    ) -> None:
        keras.utils.set_random_seed(seed)
        settings = ModelSettings(network=network, options=options, embedding_size=self.WIDTH)
        inputs, (columns, _) = planted.inputs, planted.sample(rows, seed)
        self._task, self._place = task, list(planted.logits).index(task)
        self._training = Training(
            RankingModel(inputs, settings),
            inputs.tasks,
            columns,
            seed=seed,
            learning_rate=learning_rate,
        )
        # Of validation and test.
        self._held_out = [
            planted.population(task, self.HELD_OUT_ROWS, 10**6 + number) for number in range(2)
        ]

    def epoch(self) -> tuple[float, float]:
        """Takes one pass over the training rows; gives the AUC on validation and on test rows."""
        self._training.epochs()
        validation, test = (
            area_under_curve(
                columns[self._task],
                self._training.predict(columns)["probabilities"][:, self._place],
            )
            for columns, _ in self._held_out
        )
        return validation, test

    def best(self) -> float:
        """The AUC of the labels' true probabilities on the test rows."""
        columns, truth = self._held_out[1]
        return area_under_curve(columns[self._task], truth)
