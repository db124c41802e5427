"""PWiseR: rows with a conversion rank above those without, in the click task's scores."""

from collections.abc import Mapping
from typing import Annotated

import keras
import numpy as np
from keras import ops
from pydantic import Field

from mtlx.trainer.losses.loss import COUNTED_LABELS, Loss
from mtlx.trainer.losses.parts import SMALLEST_WEIGHT, logits_of, task_position
from mtlx.trainer.task_tree import ancestry
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import TaskSpec


class PWiseR(Loss):
    """λ L_PW of the PWiseR paper (Eq. 2), to be added to the cross-entropy (Eq. 1).

    With s the click probability, C the rows with a conversion, O those clicked but not
    converted and N those not clicked, [x]₊ = max(x, 0):

    L_PW = 1/(|C||O|) Σ_{i∈C, j∈O} [m1 − (s_i − s_j)]₊²
    + 1/(|C||N|) Σ_{i∈C, k∈N} [m2 − (s_i − s_k)]₊²

    A term of an empty set is 0. Where rows have weights, a pair counts as the product of its rows'
    (what they count for in the task whose labels the pairs are of), and |C||O| is the sum of those.
    The pairs are those of one batch (on several devices, of one device's rows). They are never
    formed: for each i the partners within the margin are the end of the sorted scores, whose count,
    sum and sum of squares give the sum of all its squares, exactly and in O(B log B).

    The text says "less than s_j by at least m"; the formula's condition, s_i − s_j < m, is taken.
    The paper's grid search (AliExpress-US) gave 0.3, 0.3 and 0.1, but the copy at hand lost which
    parameter is which: the defaults take them in the order λ, m1, m2.

    Shown to learn:
        To rank clicks with a conversion above those without in the click's scores, which the clicks
        alone do not tell: AUC 0.565 and 0.590 (two seeds) on planted rows at λ = 0.3, and 0.454 and
        0.479 without; at λ = 3 it is 0.788, and the AUC of clicks falls from 0.737 to 0.642.

    Args:
        tasks: the tasks.
        weight: λ.
        m1: margin to the rows with a click and no conversion.
        m2: margin to the rows without a click.
        click: the task that is ranked; the first one by default.
        conversion: the task whose positives rank highest; by default the last of those that come
            after the click task.

    Raises:
        SettingsError: an option names no task, a regression, or one that does not come after
            `click`.
    """

    def __init__(
        self,
        tasks: tuple[TaskSpec, ...],
        *,
        weight: Annotated[float, Field(ge=0.0)] = 0.3,
        m1: Annotated[float, Field(ge=0.0)] = 0.3,
        m2: Annotated[float, Field(ge=0.0)] = 0.1,
        click: str | None = None,
        conversion: str | None = None,
    ):
        super().__init__()
        self.weight, self.m1, self.m2 = weight, m1, m2
        self.click = 0 if click is None else task_position("click", click, tasks)
        after = np.flatnonzero(ancestry(tasks, "after")[:, self.click]).tolist()
        later = [task for task in after if task != self.click]
        if not later:
            name = tasks[self.click].name
            raise SettingsError([(("click",), f"no task comes after task {name!r}")])
        self.conversion = later[-1]
        if conversion is not None:
            self.conversion = task_position("conversion", conversion, tasks)
            if self.conversion not in later:
                problem = f"task {conversion!r} does not come after {tasks[self.click].name!r}"
                raise SettingsError([(("conversion",), problem)])
        self.place = np.eye(len(tasks), dtype="float32")[self.click]
        names = [task.name for task in tasks]
        population = tasks[self.click].population
        self.population = None if population is None else names.index(population)

    def call(
        self,
        labels: keras.KerasTensor,
        outputs: Mapping[str, keras.KerasTensor],
        mask: keras.KerasTensor,
    ) -> keras.KerasTensor:
        """The pairwise term in the click task's place, 0 elsewhere.

        Args:
            labels: ``(B, T)`` float, 0 or 1.
            outputs: of the model: "logits" ``(B, T)``, else "probabilities" ``(B, T)``; beside
                them `COUNTED_LABELS`.
            mask: ``(B, T)`` float, what the row counts for; 0 outside of the task's population.

        Returns:
            ``(T,)`` float32.
        """
        scores = ops.sigmoid(logits_of(outputs)[:, self.click])
        positive = ops.logical_and(labels > 0.5, mask > 0)  # (B, T)
        known = mask[:, self.click] > 0
        counted, weights = outputs.get(COUNTED_LABELS), None
        if counted is not None:
            weights = counted[:, self.conversion]
            # The term is on the conversion's label: rows count where that does, which may be
            # later than the click's own.
            known = counted[:, self.conversion] > 0
            if self.population is not None:
                known = ops.logical_and(known, labels[:, self.population] > 0.5)
            positive = ops.logical_and(labels > 0.5, known[:, None])
        clicked = positive[:, self.click]
        converted = ops.logical_and(clicked, positive[:, self.conversion])
        only_clicked = ops.logical_and(clicked, ops.logical_not(converted))
        not_clicked = ops.logical_and(known, ops.logical_not(clicked))
        term = pairwise_squared_hinge(scores, converted, only_clicked, self.m1, weights)
        term = term + pairwise_squared_hinge(scores, converted, not_clicked, self.m2, weights)
        return self.weight * term * self.place


def pairwise_squared_hinge(
    scores: keras.KerasTensor,
    above: keras.KerasTensor,
    below: keras.KerasTensor,
    margin: float,
    weights: keras.KerasTensor | None = None,
) -> keras.KerasTensor:
    """Mean of max(margin − (s_i − s_j), 0)² over all pairs of i above and j below.

    Args:
        scores: s, ``(B,)`` float.
        above: ``(B,)`` bool.
        below: ``(B,)`` bool.
        margin: of i over j.
        weights: w of rows, ``(B,)`` float, from 0 on: the mean is that by w_i w_j; None for 1.

    Returns:
        One float32 number; 0 with zero gradients where a set is empty.
    """
    # The squares are expanded and summed up over the batch: float32 would lose small terms.
    scores = ops.cast(scores, "float64")
    # Rows that are not below are sorted to the front, where no margin reaches.
    keys = ops.where(below, ops.stop_gradient(scores), -np.inf)
    order = ops.argsort(keys)
    own = ops.ones_like(scores) if weights is None else ops.cast(weights, "float64")
    of_members = ops.take(ops.where(below, own, 0.0), order)
    members = ops.take(ops.where(below, scores, 0.0), order)
    gaps = margin - scores  # of i: the pair's hinge is gap_i + s_j where that is positive
    start = _places(keys, ops.stop_gradient(-gaps))
    count, sums, squares = (
        ops.take(_sums_to_the_end(of_members * x), start)
        for x in (ops.ones_like(members), members, ops.square(members))
    )
    hinges = count * ops.square(gaps) + 2.0 * gaps * sums + squares
    pairs = ops.sum(ops.where(above, own, 0.0)) * ops.sum(of_members)
    total = ops.sum(ops.where(above, own * hinges, 0.0))
    return ops.cast(total / ops.maximum(pairs, SMALLEST_WEIGHT), "float32")


def _places(keys: keras.KerasTensor, values: keras.KerasTensor) -> keras.KerasTensor:
    """How many keys lie before each value, ``(B,)`` int32; equal ones may or may not count.

    At equality the hinge is 0. (`ops.searchsorted` can't be traced on TensorFlow.)
    """
    size = ops.shape(keys)[0]
    order = ops.argsort(ops.concatenate([keys, values]))
    keys_up_to = ops.cumsum(ops.cast(order < size, "int32"))
    place_of = ops.argsort(order)  # the inverse permutation
    return ops.take(keys_up_to, place_of[size:])


def _sums_to_the_end(values: keras.KerasTensor) -> keras.KerasTensor:
    """``(B,)`` to ``(B + 1,)``: at place p the sum of the values from p on."""
    return ops.pad(ops.flip(ops.cumsum(ops.flip(values))), (0, 1))
