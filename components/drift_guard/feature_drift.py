"""How far one feature has moved."""

import numpy as np

from mtlx.components.drift_guard import distances
from mtlx.components.drift_guard.described_rows import DescribedRows, ValueShares
from mtlx.components.drift_guard.drift_result import FeatureDrift, Movement
from mtlx.components.drift_guard.number_buckets import bucketed
from mtlx.components.drift_guard.settings import DriftSettings
from mtlx.components.drift_guard.vocabulary_share import expected_out, out_of_vocabulary
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import VectorFeature

#: Values with at least this share before are one bucket each of the population stability index.
_OWN_BUCKET = 0.01
#: Values that a histogram shows.
_SHOWN = 20
_OTHERS = "(others)"

Histogram = tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]]


def feature_drift(
    name: str,
    new: DescribedRows,
    before: DescribedRows,
    contract: DataContract,
    settings: DriftSettings,
    has_own_values: bool = False,
) -> FeatureDrift:
    """Measures a feature.

    Args:
        name: of the feature.
        new: the newest rows.
        before: the rows before.
        contract: of the run.
        settings: thresholds, and how categories are measured.
        has_own_values: whether the newest rows have other values by the way that rows were split.
    """
    movements = [_missing(name, new, before, settings)]
    histogram: Histogram = ((), (), ())
    feature = contract.features[name]
    if isinstance(feature, VectorFeature):
        movements += _vector(name, new, before, settings)
    elif feature.holds == "number":
        if _any(name, new, before, "numbers"):
            found, histogram = _number(name, new, before, settings)
            movements.append(found)
    elif new.values.get(name) and before.values.get(name) and not has_own_values:
        found, histogram = _category(name, new, before, settings)
        movements.append(found)
        if (out := _out_of_vocabulary(name, new, before, contract, settings)) is not None:
            movements.append(out)
    score = max(_multiple(movement, settings) for movement in movements)
    return FeatureDrift(name, feature.kind, score, tuple(movements), *histogram)


def _any(name: str, new: DescribedRows, before: DescribedRows, kind: str) -> bool:
    """Whether both sides have values."""
    found = [getattr(side.counts, kind).get(name) for side in (new, before)]
    return all(one is not None and len(one.counts) for one in found)


def _multiple(movement: Movement, settings: DriftSettings) -> float:
    """Of the threshold; where there is none, of everybody's, so that all can be ranked."""
    usual = type(settings.thresholds)()
    return movement.moved / (movement.threshold or getattr(usual, movement.measure))


def _missing(
    name: str, new: DescribedRows, before: DescribedRows, settings: DriftSettings
) -> Movement:
    rows = new.counts.rows, before.counts.rows
    absent = [side.counts.rows - side.counts.present.get(name, 0) for side in (new, before)]
    shares = [part / max(whole, 1) for part, whole in zip(absent, rows, strict=True)]
    noise = distances.share_noise(sum(absent) / max(sum(rows), 1), *rows)
    bound = settings.bound(name, "missing")
    return Movement(name, "missing", abs(shares[0] - shares[1]), noise, bound, shares[0], shares[1])


def _number(
    name: str, new: DescribedRows, before: DescribedRows, settings: DriftSettings
) -> tuple[Movement, Histogram]:
    counts = bucketed(new.counts.numbers[name], before.counts.numbers[name])
    shares = [found / found.sum() for found in counts[:2]]
    rows = _rows(name, new, before)
    noise = distances.jensen_shannon_noise(len(counts[2]), *rows)
    value = distances.jensen_shannon(*shares)
    bound = settings.bound(name, "jensen_shannon")
    movement = Movement(name, "jensen_shannon", value, noise, bound)
    return movement, (tuple(counts[2]), tuple(shares[0].tolist()), tuple(shares[1].tolist()))


def _vector(
    name: str, new: DescribedRows, before: DescribedRows, settings: DriftSettings
) -> list[Movement]:
    """How far the means of a vector's numbers have moved; nothing where a side has none."""
    now, then = (side.counts.vectors.get(name) for side in (new, before))
    if now is None or then is None or not now.count or not then.count:
        return []
    if len(now.mean) != len(then.mean):
        return []
    value, place = distances.mean_shift((now.mean, then.mean), then.deviation)
    noise = distances.mean_shift_noise(len(now.mean), now.count, then.count)
    bound = settings.bound(name, "mean_shift")
    return [Movement(name, "mean_shift", value, noise, bound, detail=f"number {place + 1}")]


def _category(
    name: str, new: DescribedRows, before: DescribedRows, settings: DriftSettings
) -> tuple[Movement, Histogram]:
    sides = new.values[name], before.values[name]
    values = list(dict.fromkeys([*sides[1].most, *sides[0].most]))
    shares = _shares(sides[0], values), _shares(sides[1], values)
    rows = _rows(name, new, before)
    bound = settings.bound(name, settings.categories)
    if settings.categories == "psi":
        own = np.append(shares[1][:-1] >= _OWN_BUCKET, False)
        pooled = [np.append(side[own], side[~own].sum()) for side in shares]
        # Half a row more in each bucket: none is empty.
        full = [
            (side + 0.5 / number) / (1 + 0.5 * len(side) / number)
            for side, number in zip(pooled, rows, strict=True)
        ]
        value = distances.population_stability(full[0], full[1])
        noise = distances.population_stability_noise(len(full[0]), *rows)
        movement = Movement(name, "psi", value, noise, bound)
    else:
        value, place = distances.largest_difference(*shares)
        both = (shares[0] * rows[0] + shares[1] * rows[1])[place] / max(sum(rows), 1)
        noise = distances.share_noise(float(both), *rows)
        found = float(shares[0][place]), float(shares[1][place])
        detail = ([*values, _OTHERS])[place]
        movement = Movement(name, "l_infinity", value, noise, bound, *found, detail)
    return movement, _histogram(values, *shares)


def _shares(side: ValueShares, values: list[str]) -> np.ndarray:
    """Of the values, and of all others together."""
    counted = np.array([side.most.get(value, 0.0) for value in values], float)
    total = max(side.total, counted.sum(), 1.0)
    return np.append(counted, total - counted.sum()) / total


def _histogram(values: list[str], new: np.ndarray, before: np.ndarray) -> Histogram:
    """The most frequent values of both sides, and the others together."""
    order = np.argsort(-(new + before)[:-1], kind="stable")[:_SHOWN]
    names = [values[place] for place in order]
    sides = [side[order].tolist() for side in (new, before)]
    rest = [max(1.0 - sum(side), 0.0) for side in sides]
    if max(rest) > 1e-9:
        names.append(_OTHERS)
        sides = [[*side, left] for side, left in zip(sides, rest, strict=True)]
    return tuple(names), tuple(sides[0]), tuple(sides[1])


def _out_of_vocabulary(
    name: str,
    new: DescribedRows,
    before: DescribedRows,
    contract: DataContract,
    settings: DriftSettings,
) -> Movement | None:
    """None where there is no vocabulary: values are hashed."""
    of = contract.features[name].vocabulary_of(name) or name
    category = contract.ids(of)
    if category.hash_buckets is not None or of not in before.counts.texts:
        return None
    share = out_of_vocabulary(new.counts.texts[name], before.counts.texts[of], category.vocabulary)
    expected = expected_out(name, of, before, category.vocabulary)
    noise = distances.share_noise(max(share, expected), *_rows(name, new, before))
    bound = settings.bound(name, "out_of_vocabulary")
    value = max(share - expected, 0.0)
    return Movement(name, "out_of_vocabulary", value, noise, bound, share, expected)


def _rows(name: str, new: DescribedRows, before: DescribedRows) -> tuple[int, int]:
    """Rows with a value: the values of a row's list are not independent of each other."""
    return new.counts.present.get(name, 0), before.counts.present.get(name, 0)
