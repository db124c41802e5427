"""Scores the drawn rows again, each by the version that served it."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from mtlx.components.batch_scoring.scoring_model import BATCH_ROWS, ScoringModel
from mtlx.components.batch_scoring.scoring_refused import ScoringRefused
from mtlx.components.model_pusher.serving_folder.versions import Version
from mtlx.components.skew_guard.served_rows import VERSION, ServedCounts, examples_of, score_of
from mtlx.components.skew_guard.settings import SkewSettings
from mtlx.components.skew_guard.skew_result import ScoreSkew
from mtlx.trainer.serving.serving_contract import read_serving_contract
from mtlx.transform.contract.data_contract import DataContract

#: Ends of the histogram's buckets.
_ENDS = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


@dataclasses.dataclass(frozen=True)
class ServedVersion:
    """A version that may have made scores.

    Attributes:
        version: in the serving folder.
        contract: that it was trained with; None where it does not hold one.
        place: of the contract by which rows become its examples.
    """

    version: Version
    contract: DataContract | None
    place: int


def with_contracts(
    versions: Sequence[Version], contract: DataContract
) -> tuple[list[ServedVersion], list[DataContract]]:
    """Finds out by which contracts rows have to be read for the versions.

    Args:
        versions: that may have made scores.
        contract: of the experiment.

    Returns:
        The versions, and the contracts: the experiment's first, then those of versions that read
        a column in another way, or another column.

    Raises:
        ValueError: the contract of a version cannot be read.
    """
    contracts = [contract]
    found: list[ServedVersion] = []
    for version in versions:
        own = read_serving_contract(version.path)
        place = 0
        if own is not None and not _reads_alike(own, contract):
            known = [i for i, other in enumerate(contracts) if i and _alike(own, other)]
            place = known[0] if known else len(contracts)
            if not known:
                contracts.append(own.model_copy(update={"tasks": {}}))
        found.append(ServedVersion(version, own, place))
    return found, contracts


@dataclasses.dataclass(frozen=True)
class ComparedScores:
    """What came of the scores.

    Attributes:
        scores: by task.
        differing: ``(n,)`` bool, drawn rows of which any task's score differs.
        notes: what was not compared, and why.
    """

    scores: tuple[ScoreSkew, ...]
    differing: np.ndarray
    notes: tuple[str, ...]


def compare_scores(
    draw: pa.Table,
    versions: Sequence[ServedVersion],
    there: Sequence[int],
    lacking: Sequence[str],
    counts: ServedCounts,
    settings: SkewSettings,
    contract: DataContract,
) -> ComparedScores:
    """Compares.

    Args:
        draw: see `ServedReading`.
        versions: that may have made the scores; where the logs do not say which, the one that did.
        there: numbers of all versions that are in the serving folder.
        lacking: columns that the serving logs do not have.
        counts: of all rows.
        settings: tolerance, and columns of the scores.
        contract: of the experiment, for models that hold none.
    """
    by_number = {str(one.version.number): one for one in versions}
    numbers = np.array(draw[VERSION].to_pylist(), object)
    notes = []
    if settings.version is None:
        numbers[:] = next(iter(by_number), None)
    elif none := sum(number is None for number in numbers):
        notes.append(
            f"{none:,} of {len(numbers):,} drawn rows name no version in {settings.version!r}: "
            "their scores were not compared"
        )
    predicted = {task: np.full(len(numbers), np.nan) for task in settings.scores}
    answered = {task: np.zeros(len(numbers), bool) for task in settings.scores}
    for number in sorted({one for one in numbers if one is not None}, key=int):
        rows = numbers == number
        if (version := by_number.get(number)) is None:
            gone = int(number) not in there
            why = "is not in the serving folder any more" if gone else "was pushed after the logs"
            notes.append(
                f"version {number}, which {_rows(rows)} name, {why}: their scores were not compared"
            )
            continue
        notes += _score(version, draw, rows, lacking, contract, predicted, answered)
    differing = np.zeros(len(numbers), bool)
    found = []
    for task in settings.scores:
        served = draw[score_of(task)].to_numpy()
        compared = answered[task] & np.isfinite(served)
        # Where the model gives no number there is nothing that a score could equal.
        # Numbers above 1 are compared by their size; no probability is one.
        size = np.maximum(np.abs(np.nan_to_num(predicted[task])), 1.0)
        distance = np.nan_to_num(np.abs(served - predicted[task]) / size, nan=1.0)
        wrong = compared & (distance > settings.tolerance)
        differing |= wrong
        found.append(_skew(task, counts, settings, numbers, compared, wrong, distance))
    return ComparedScores(tuple(found), differing, tuple(notes))


def _score(
    version: ServedVersion,
    draw: pa.Table,
    rows: np.ndarray,
    lacking: Sequence[str],
    contract: DataContract,
    predicted: dict[str, np.ndarray],
    answered: dict[str, np.ndarray],
) -> list[str]:
    """Fills in what a version says of its rows; returns what it could not be asked."""
    number = version.version.number
    try:
        model = ScoringModel(version.version.path, contract)
        gone = [
            column
            for name in model.contract.features
            if (column := model.contract.column(name)) in lacking
        ]
        if gone:
            return [
                f"version {number} reads {', '.join(gone)}, which the serving logs lack: the "
                f"scores of {_rows(rows)} were not compared"
            ]
        encoded = draw[examples_of(version.place)]
        places = np.flatnonzero(rows & encoded.is_valid().to_numpy())
        notes = []
        if len(places) < rows.sum():
            notes.append(
                f"version {number} cannot read {_rows(rows.sum() - len(places))}: their scores "
                "were not compared"
            )
        examples = encoded.take(pa.array(places)).to_pylist()
        batches = [examples[at : at + BATCH_ROWS] for at in range(0, len(examples), BATCH_ROWS)]
        scores = model.scores_of(batches)
    except ScoringRefused as error:
        return [f"version {number} cannot be asked for {_rows(rows)}: {error}"]
    for task in predicted:
        if task not in scores:
            notes.append(f"version {number} does not serve {task}: its scores were not compared")
            continue
        predicted[task][places] = scores[task]
        answered[task][places] = True
    return notes


def _skew(
    task: str,
    counts: ServedCounts,
    settings: SkewSettings,
    numbers: np.ndarray,
    compared: np.ndarray,
    wrong: np.ndarray,
    distance: np.ndarray,
) -> ScoreSkew:
    places = np.searchsorted(_ENDS, distance[compared])
    shares = np.bincount(places, minlength=len(_ENDS) + 1) / max(compared.sum(), 1)
    names = [f"up to {_ENDS[0]:g}"]
    names += [f"{low:g} to {high:g}" for low, high in zip(_ENDS, _ENDS[1:], strict=False)]
    names.append(f"above {_ENDS[-1]:g}")
    return ScoreSkew(
        task=task,
        column=settings.scores[task],
        rows=counts.rows,
        missing=counts.missing[task],
        not_numbers=counts.not_numbers[task],
        outside=counts.outside[task],
        compared=int(compared.sum()),
        differing=int(wrong.sum()),
        largest=float(distance[compared].max(initial=0.0)),
        tolerance=settings.tolerance,
        maximum_share=settings.maximum_share,
        buckets=tuple(names),
        shares=tuple(shares.tolist()),
        versions={
            number: (int((compared & rows).sum()), int((wrong & rows).sum()))
            for number in sorted(set(numbers[compared]), key=int)
            for rows in [numbers == number]
        },
    )


def _rows(rows: np.ndarray | int) -> str:
    count = int(np.sum(rows))
    return f"{count:,} drawn row{'s' if count != 1 else ''}"


def _reads_alike(own: DataContract, contract: DataContract) -> bool:
    """Whether all that a model reads stands in the examples of another contract."""
    read = [name for name in own.features if own.is_asked_for(name)]
    if any(name not in contract.features for name in read):
        return False
    some = own.model_copy(update={"features": {name: own.features[name] for name in read}})
    return _alike(
        some,
        contract.model_copy(update={"features": {n: contract.features[n] for n in read}}),
    )


def _alike(one: DataContract, other: DataContract) -> bool:
    """Whether rows become the same examples by two contracts."""
    return _reading(one) == _reading(other)


def _reading(contract: DataContract) -> tuple[object, ...]:
    """All that the checks of rows look at."""
    features = {
        name: (
            feature.kind,
            contract.column(name),
            getattr(feature, "separator", None),
            getattr(feature, "beside", None),
            *(getattr(feature, key, None) for key in ("multiple", "mark", "size")),
        )
        for name, feature in contract.features.items()
    }
    domain = contract.domain
    told = (domain.feature, tuple(domain.values), domain.other) if domain else None
    return features, told, contract.missing
