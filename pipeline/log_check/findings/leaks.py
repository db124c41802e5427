"""Features that predict a label almost by themselves: what happened later has leaked into them.

What a value tells of the label is learnt on one half of the rows and tried on the other, so that
a value that occurs once tells nothing: an id of the row or the user is no leak. Where users are
named, all rows of a user are in one half. A cross is looked at for what its values tell together,
where none of them tells it alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import rankdata

from mtlx.components.log_example_gen.values.stable_hash import uniform
from mtlx.pipeline.log_check.collected_rows import CollectedRows
from mtlx.pipeline.log_check.findings.item_evidence import ItemEvidence
from mtlx.pipeline.log_check.findings.value_codes import code_of_values, code_of_values_together
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import CategoricalFeature, NumericFeature, SequenceFeature

#: From this AUC on a single feature is called a leak.
LEAK_AUC = 0.99
#: With fewer rows of one class nothing is said: chance alone reaches high values.
_FEWEST_OF_A_CLASS = 20
#: Rows that are looked at.
_MOST_ROWS = 200_000
#: Quantiles that a number is cut at, for what is not monotone.
_BINS = 256
#: Rows' worth of the mean rate that a value's own is mixed with.
_PRIOR = 10.0
_SEED = 7
#: Numbers of a vector that are looked at.
_MOST_NUMBERS = 8


@dataclass(frozen=True)
class Leak:
    """A feature that tells a label.

    Attributes:
        feature: its name.
        how: what of the feature tells it.
        task: whose label.
        auc: of the feature alone.
        positives: among the rows that were looked at.
    """

    feature: str
    how: str
    task: str
    auc: float
    positives: int


def find_leaks(rows: CollectedRows, user_key: str | None) -> list[Leak]:
    """Looks at every feature that the model reads, for every task.

    Args:
        rows: the sample.
        user_key: feature whose values stay in one half; None splits rows.
    """
    chosen = _chosen(rows.rows)
    halves = _halves(rows, user_key)[chosen]
    targets = {}
    for task in rows.contract.tasks:
        population, label = rows.population(task)[chosen], rows.label(task)[chosen]
        positives = int(np.count_nonzero(label & population))
        if min(positives, np.count_nonzero(population) - positives) >= _FEWEST_OF_A_CLASS:
            targets[task] = (population, label, positives)
    leaks: list[Leak] = []
    for feature, how, codes, numbers in _signals(rows, chosen):
        parts = _parts(rows.contract, feature)
        for task, (population, label, positives) in targets.items():
            if any(leak.feature in parts and leak.task == task for leak in leaks):
                continue  # A cross holds what its parts tell.
            auc = _auc_of_codes(codes[population], label[population], halves[population])
            if numbers is not None:
                auc = max(auc, _auc_of_numbers(numbers[population], label[population]))
            if auc >= LEAK_AUC:
                leaks.append(Leak(feature, how, task, auc, positives))
    known = {(leak.feature, leak.task) for leak in leaks}
    for feature, evidence in _evidence(rows, chosen):
        for task, (population, label, positives) in targets.items():
            if (feature, task) in known:
                continue  # A list that is longer holds more of everything.
            auc = _auc_of_evidence(evidence, population, label, halves)
            if auc >= LEAK_AUC:
                leaks.append(Leak(feature, "which values it holds", task, auc, positives))
    return leaks


def _evidence(rows: CollectedRows, chosen: np.ndarray) -> Iterator[tuple[str, ItemEvidence]]:
    """Features that hold several texts, one at a time: their items take memory."""
    for name, feature in rows.contract.features.items():
        if feature.holds == "text" and not feature.takes_one:
            yield name, ItemEvidence(rows.features[name].take(pa.array(chosen)))


def _auc_of_evidence(
    evidence: ItemEvidence, population: np.ndarray, label: np.ndarray, halves: np.ndarray
) -> float:
    """AUC of what items tell, learnt on the half of the rows that it is not tried on."""
    aucs = []
    for half in (True, False):
        score = evidence.of(label, population & (halves != half))
        tried = population & (halves == half)
        aucs.append(_auc_of_numbers(score[tried], label[tried]))
    return float(np.mean(aucs))


def _chosen(count: int) -> np.ndarray:
    """Row numbers, evenly spread."""
    if count <= _MOST_ROWS:
        return np.arange(count)
    return np.linspace(0, count - 1, _MOST_ROWS).astype(np.int64)


def _halves(rows: CollectedRows, user_key: str | None) -> np.ndarray:
    """Which half a row is in, ``(n,)`` bool."""
    if user_key is None:
        return uniform(np.arange(rows.rows), _SEED) < 0.5
    users = rows.features[user_key].fill_null("").dictionary_encode()
    drawn = uniform(np.arange(len(users.dictionary)), _SEED) < 0.5
    return drawn[users.indices.to_numpy()]


def _parts(contract: DataContract, feature: str) -> tuple[str, ...]:
    """What a cross is of; nothing for other features."""
    return tuple(contract.crosses[feature].of) if feature in contract.crosses else ()


def _signals(
    rows: CollectedRows, chosen: np.ndarray
) -> list[tuple[str, str, np.ndarray, np.ndarray | None]]:
    """Feature, words, codes ``(n,)`` from 0 on, and numbers ``(n,)`` where they have an order.

    Crosses come last, behind what they are of.
    """
    signals = []
    index = pa.array(chosen)
    target = rows.contract.target_item
    for name, feature in rows.contract.features.items():
        values = rows.features[name].take(index)
        if isinstance(feature, NumericFeature):
            numbers = values.to_numpy(zero_copy_only=False).astype(np.float64)
            signals.append((name, "its number", _bins(numbers), numbers))
        elif isinstance(feature, CategoricalFeature):
            if rows.contract.is_asked_for(name):
                signals.append((name, "its value", code_of_values(values), None))
        elif feature.holds == "number":
            signals += _numbers_of_vectors(name, values)
        else:
            lengths = np.diff(values.offsets.to_numpy()).astype(np.float64)
            signals.append((name, "its length", _bins(lengths), lengths))
            if isinstance(feature, SequenceFeature) and feature.of == target:
                holds = _holds(values, rows.features[target].take(index))
                signals.append((name, f"whether it holds the row's {target}", holds, None))
    for name, cross in rows.contract.crosses.items():
        how = f"the values of {' and '.join(cross.of)} together"
        columns = [rows.features[of].take(index) for of in cross.of]
        signals.append((name, how, code_of_values_together(columns), None))
    return signals


def _numbers_of_vectors(
    name: str, vectors: pa.LargeListArray
) -> list[tuple[str, str, np.ndarray, np.ndarray | None]]:
    """Each of the first numbers of lists of equal length; nothing of others, which weights are."""
    lengths = np.diff(vectors.offsets.to_numpy())
    size = int(lengths.max(initial=0))
    if not size or not np.isin(lengths, (0, size)).all():
        return []
    there = lengths > 0
    table = np.full((len(lengths), size), np.nan)
    table[there] = vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, size)
    return [
        (name, f"its number {place + 1}", _bins(table[:, place]), table[:, place])
        for place in range(min(size, _MOST_NUMBERS))
    ]


def _bins(numbers: np.ndarray) -> np.ndarray:
    """Codes of quantile bins; the highest one for a missing number."""
    missing = np.isnan(numbers)
    if missing.all():
        return np.zeros(len(numbers), np.int64)
    edges = np.unique(np.quantile(numbers[~missing], np.linspace(0, 1, _BINS + 1)))
    codes = np.searchsorted(edges, numbers, side="left")
    return np.where(missing, len(edges) + 1, codes)


def _holds(sequences: pa.LargeListArray, targets: pa.Array) -> np.ndarray:
    """0 for an empty sequence, 1 for one without the row's target, 2 for one with it."""
    lengths = np.diff(sequences.offsets.to_numpy())
    owner = np.repeat(np.arange(len(sequences)), lengths)
    items = sequences.flatten().cast(pa.large_string())
    same = pc.equal(items, targets.cast(pa.large_string()).take(pa.array(owner)))
    found = np.bincount(
        owner, same.fill_null(False).to_numpy(zero_copy_only=False), minlength=len(sequences)
    )
    return np.where(lengths == 0, 0, np.where(found > 0, 2, 1))


def _auc_of_codes(codes: np.ndarray, label: np.ndarray, halves: np.ndarray) -> float:
    """AUC of the rates of codes, each learnt on the half that it is not tried on; 0.5 if none."""
    size = int(codes.max(initial=0)) + 1
    counts = np.bincount(codes * 4 + halves * 2 + label, minlength=size * 4).reshape(size, 2, 2)
    aucs, weights = [], []
    for tried in (0, 1):
        learnt = counts[:, 1 - tried]
        rows, positives = learnt.sum(axis=1), learnt[:, 1]
        base = positives.sum() / max(rows.sum(), 1)
        rate = (positives + _PRIOR * base) / (rows + _PRIOR)
        negative, positive = counts[:, tried, 0], counts[:, tried, 1]
        pairs = positive.sum() * negative.sum()
        if pairs:
            aucs.append(_auc_of_counts(rate, positive, negative) / pairs)
            weights.append(pairs)
    return float(np.average(aucs, weights=weights)) if aucs else 0.5


def _auc_of_counts(rate: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> float:
    """Pairs that the rates order rightly, ties half."""
    _, group = np.unique(rate, return_inverse=True)
    positive, negative = np.bincount(group, positive), np.bincount(group, negative)
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum())


def _auc_of_numbers(numbers: np.ndarray, label: np.ndarray) -> float:
    """AUC of the number itself, or its opposite; a missing one counts as the lowest."""
    ranks = rankdata(np.where(np.isnan(numbers), -np.inf, numbers))
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return 0.5
    auc = (ranks[label].sum() - positives * (positives + 1) / 2) / (positives * negatives)
    return float(max(auc, 1 - auc))
