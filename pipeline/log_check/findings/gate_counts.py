"""Whether the gate's thresholds will find positives enough to decide."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mtlx.components.relaimp_gate.wildcards import matches
from mtlx.components.slice_evaluation.slices import (
    MISSING,
    resolve_crosses,
    shown_value,
    slice_text,
)
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.threshold_slices import value_patterns
from mtlx.pipeline.log_check.collected_rows import CollectedRows
from mtlx.transform.contract.name_checks import DOMAIN_ALIAS

#: Values of the features of a cross.
Values = tuple[str, ...]


@dataclass(frozen=True)
class TooFew:
    """A task and slice that the gate cannot decide.

    Attributes:
        task: the task.
        slice: the slice, as the report names it.
        positives, negatives: expected in the evaluated split.
    """

    task: str
    slice: str
    positives: float
    negatives: float


def too_few(rows: CollectedRows, experiment: Experiment, share: float) -> list[TooFew]:
    """Tasks and slices of the gate's thresholds with too few rows of a class.

    Args:
        rows: the sample.
        experiment: names thresholds, slices and `gate.minimum_positives`.
        share: of the logs that the sample is.
    """
    found: dict[tuple[str, str], TooFew] = {}
    chosen = rows.in_split(experiment.evaluation.split)
    crosses = [(), *(cross.keys for cross in resolve_crosses(experiment.evaluation, rows.contract))]
    for keys in crosses:
        counts = None
        for threshold in experiment.gate.thresholds:
            patterns = value_patterns(threshold.slice, keys, rows.contract)
            if patterns is None:
                continue
            counts = counts or _counts(rows, keys, chosen)
            for task, values, positives, negatives in _meant(counts, threshold.task, patterns):
                few = min(positives, negatives) / share < experiment.gate.minimum_positives
                if few:
                    name = slice_text(tuple(zip(keys, values, strict=True)))
                    found[task, name] = TooFew(task, name, positives / share, negatives / share)
    return list(found.values())


def _counts(
    rows: CollectedRows, keys: tuple[str, ...], chosen: np.ndarray
) -> dict[tuple[str, Values], tuple[int, int]]:
    """Positives and negatives by task and values of a cross; domains without rows among them."""
    contract = rows.contract
    domain = contract.domain.feature if contract.domain else None
    features = [domain if key == DOMAIN_ALIAS and domain else key for key in keys]
    present = chosen.copy()
    codes = np.zeros(rows.rows, np.int64)
    dictionaries = []
    for feature in features:
        encoded = rows.features[feature].dictionary_encode()
        # A row without a value is in the slice of the missing one, which no real value is called.
        shown = [*map(shown_value, encoded.dictionary.to_pylist()), MISSING]
        codes = codes * len(shown) + encoded.indices.fill_null(len(shown) - 1).to_numpy()
        dictionaries.append(shown)
    sizes = [len(dictionary) for dictionary in dictionaries]
    unique, group = np.unique(codes[present], return_inverse=True)
    counts: dict[tuple[str, Values], tuple[int, int]] = {}
    if features == [domain] or not features:
        listed: list[Values] = [(value,) for value in contract.domains] if features else [()]
        counts = {(task, values): (0, 0) for task in contract.tasks for values in listed}
    for task in contract.tasks:
        population, label = rows.population(task)[present], rows.label(task)[present]
        total = np.bincount(group, population, minlength=len(unique))
        positive = np.bincount(group, label & population, minlength=len(unique))
        if task in contract.regressions:  # Which has no classes: its rows are counted.
            positive, total = total, 2 * total
        for index, code in enumerate(unique):
            places = np.unravel_index(code, sizes) if sizes else ()
            values = tuple(d[place] for d, place in zip(dictionaries, places, strict=True))
            counts[task, values] = (int(positive[index]), int(total[index] - positive[index]))
    return counts


def _meant(
    counts: dict[tuple[str, Values], tuple[int, int]], task_pattern: str, patterns: Values
) -> Iterator[tuple[str, Values, int, int]]:
    """The counts that a threshold holds for."""
    for (task, values), (positives, negatives) in counts.items():
        if matches(task, task_pattern) and all(map(matches, values, patterns)):
            yield task, values, positives, negatives
