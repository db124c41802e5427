"""What a model reaches on the validation split: AUC and loss per task, mean gate weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from mtlx.trainer.examples.labels import are_weighed, labels_and_mask
from mtlx.trainer.layers.gate_outputs import CONTRIBUTIONS, GATES
from mtlx.trainer.validation.measure import Measure, measure, measure_numbers
from mtlx.transform.contract.model_inputs import DOMAIN_ID, TaskSpec


@dataclass(frozen=True)
class Validation:
    """Results on the validation split.

    Attributes:
        tasks: what was measured of each task on all rows of its population.
        gate_weights: mean gate weights per task over its population, where the model has gates
            and the population is not empty.
        domains: by domain, what was measured of each task on that domain's rows; empty where
            nobody asked for it.
        gate_contributions: as `gate_weights`, the mean shares that the experts add to the gates'
            mixes.
    """

    tasks: dict[str, Measure]
    gate_weights: dict[str, list[float]] = field(default_factory=dict)
    domains: dict[str, dict[str, Measure]] = field(default_factory=dict)
    gate_contributions: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Validation":
        """Inverse of `dataclasses.asdict`, also behind JSON."""
        return cls(
            _measures(values["tasks"]),
            values["gate_weights"],
            {domain: _measures(tasks) for domain, tasks in values["domains"].items()},
            values["gate_contributions"],
        )

    def of_task(self, task: str) -> "Validation":
        """The measures of one task alone."""
        domains = {domain: {task: found[task]} for domain, found in self.domains.items()}
        return Validation({task: self.tasks[task]}, domains=domains)

    @property
    def auc(self) -> dict[str, float | None]:
        """By task; None where undefined (one class only)."""
        return {task: found.auc for task, found in self.tasks.items()}

    @property
    def loss(self) -> dict[str, float | None]:
        """Mean log loss by task, on its population; None where that is empty. Of a regression the
        squared error, see `Measure`.
        """
        return {task: found.loss for task, found in self.tasks.items()}


def _measures(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Measure]:
    return {task: Measure(**found) for task, found in values.items()}


def validate(
    predict: Callable[[Mapping[str, tf.Tensor]], Mapping[str, tf.Tensor]],
    batches: tf.data.Dataset,
    tasks: tuple[TaskSpec, ...],
    domains: tuple[str, ...] = (),
) -> Validation:
    """Predicts all batches and measures each task on its population.

    Args:
        predict: the model's outputs for a batch, with ``probabilities`` ``(B, T)``.
        batches: of the validation split, with labels.
        tasks: in the model's order.
        domains: names of all domains, in the order of ``domain_id``, where each one's rows are
            to be measured for themselves as well.
    """
    parts: list[tuple[np.ndarray, ...]] = []
    gates: dict[str, np.ndarray] = {}
    rows, weighed = 0, False
    for batch in batches:
        outputs = predict(batch)
        labels, mask = labels_and_mask(batch, tasks)
        part = (outputs["probabilities"].numpy(), labels.numpy(), mask.numpy())
        weighed = are_weighed(batch, tasks)
        parts.append((*part, batch[DOMAIN_ID].numpy()) if domains else part)
        rows += labels.shape[0]
        for name, total in _gate_sums(outputs, part[2] > 0, tasks).items():
            gates[name] = gates.get(name, 0.0) + total
    columns = [np.concatenate(part) for part in zip(*parts, strict=True)]
    probabilities, labels, weights, *of_domain = columns
    mask = weights > 0

    def found(index: int, task: TaskSpec, own: np.ndarray) -> Measure:
        """Of a task on rows of its population ``(n,)``."""
        of_rows = weights[own, index] if weighed else None
        if not task.is_regression:
            return measure(labels[own, index], probabilities[own, index], weights=of_rows)
        scale = _unit(task)
        return measure_numbers(labels[own, index], probabilities[own, index], scale, of_rows)

    def measured(chosen: np.ndarray) -> dict[str, Measure]:
        """Of each task on the chosen rows ``(n,)`` that are in its population."""
        populations = (chosen & mask[:, index] for index in range(len(tasks)))
        return {
            task.name: found(index, task, own)
            for index, (task, own) in enumerate(zip(tasks, populations, strict=True))
        }

    populations = {task.name: int(mask[:, index].sum()) for index, task in enumerate(tasks)}

    def means(prefix: str) -> dict[str, list[float]]:
        sums = {task: gates.get(prefix + task) for task, count in populations.items() if count}
        return {
            task: (total / populations[task]).tolist()
            for task, total in sums.items()
            if total is not None
        }

    return Validation(
        measured(np.ones(rows, bool)),
        means(GATES),
        {domain: measured(of_domain[0] == index) for index, domain in enumerate(domains)},
        means(CONTRIBUTIONS),
    )


def _unit(task: TaskSpec) -> float:
    """Standard deviation of a regression's labels that train, in their own unit."""
    if task.loss == "squared":
        return task.scale
    variance = task.scale**2
    return float(np.exp(task.shift + variance / 2) * np.sqrt(np.expm1(variance)))


def _gate_sums(
    outputs: Mapping[str, tf.Tensor], mask: np.ndarray, tasks: tuple[TaskSpec, ...]
) -> dict[str, np.ndarray]:
    """Sums of the gates' outputs ``(n,)`` over the rows of each task's population."""
    sums = {}
    for prefix in (GATES, CONTRIBUTIONS):
        for index, task in enumerate(tasks):
            if prefix + task.name in outputs:
                values = tf.cast(outputs[prefix + task.name], tf.float32).numpy()
                sums[prefix + task.name] = values[mask[:, index]].sum(axis=0)
    return sums
