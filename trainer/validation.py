"""What a model reaches on the validation split: AUC and loss per task, mean gate weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from trainer.area_under_curve import area_under_curve
from trainer.labels import labels_and_mask
from transform.model_inputs import TaskSpec

#: Prefix of the model's outputs that hold a task's gate weights ``(B, n)``.
GATES = "gates/"


@dataclass(frozen=True)
class Validation:
    """Results by task name.

    Attributes:
        auc: None where undefined (one class only).
        loss: mean log loss on the task's population; None where that is empty.
        gate_weights: mean gate weights per task, where the model has gates.
    """

    auc: dict[str, float | None]
    loss: dict[str, float | None]
    gate_weights: dict[str, list[float]]

    @property
    def mean_auc(self) -> float:
        """What selects the best epoch: the mean over the tasks whose AUC is defined.

        Raises:
            ValueError: no task's AUC is defined on the validation split.
        """
        defined = [value for value in self.auc.values() if value is not None]
        if not defined:
            raise ValueError(
                "the validation split has no task with both positive and negative rows, so no "
                "epoch can be selected: give it more rows (data.split)"
            )
        return float(np.mean(defined))


def validate(
    predict: Callable[[Mapping[str, tf.Tensor]], Mapping[str, tf.Tensor]],
    batches: tf.data.Dataset,
    tasks: tuple[TaskSpec, ...],
) -> Validation:
    """Predicts all batches and measures each task on its population.

    Args:
        predict: the model's outputs for a batch, with ``probabilities`` ``(B, T)``.
        batches: of the validation split, with labels.
        tasks: in the model's order.
    """
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    gates: dict[str, np.ndarray] = {}
    rows = 0
    for batch in batches:
        outputs = predict(batch)
        labels, mask = labels_and_mask(batch, tasks)
        parts.append((outputs["probabilities"].numpy(), labels.numpy(), mask.numpy() > 0.5))
        rows += labels.shape[0]
        for name, values in outputs.items():
            if name.startswith(GATES):
                total = tf.reduce_sum(tf.cast(values, tf.float32), axis=0).numpy()
                gates[name] = gates.get(name, 0.0) + total
    probabilities, labels, mask = (np.concatenate(part) for part in zip(*parts, strict=True))
    auc, loss = {}, {}
    for index, task in enumerate(tasks):
        chosen = mask[:, index]
        y, p = labels[chosen, index], probabilities[chosen, index].astype(np.float64)
        auc[task.name] = area_under_curve(y, p)
        loss[task.name] = _log_loss(y, p) if y.size else None
    weights = {name.removeprefix(GATES): (total / rows).tolist() for name, total in gates.items()}
    return Validation(auc, loss, weights)


def _log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    clipped = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return float(-np.mean(labels * np.log(clipped) + (1 - labels) * np.log1p(-clipped)))
