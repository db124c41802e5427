"""What the skew guard found: its artifact, its one file, and the words for it."""

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tfx.types import artifact

from mtlx.components.drift_guard.drift_result import Comparison, Movement, comparison_of

_FILE = "skew.json"
#: Differences that a line names.
_NAMED = 3


class SkewResult(artifact.Artifact):
    """A folder with one JSON file, a `Skew`."""

    TYPE_NAME = "SkewResult"


@dataclasses.dataclass(frozen=True)
class ScoreSkew:
    """The served scores of one task.

    Attributes:
        task: name.
        column: of the serving logs.
        rows: of all serving logs.
        missing: of these, without a score.
        not_numbers: of these, whose score is no finite number.
        outside: of these, whose score is outside of [0, 1].
        compared: drawn rows that were scored again by the version that made them.
        differing: of these, whose score differs by more than `tolerance`.
        largest: difference.
        tolerance: as it was set.
        maximum_share: as it was set.
        buckets: names of the histogram's buckets.
        shares: of the compared rows' differences in them.
        versions: by number how many rows were compared, and how many of them differ.
    """

    task: str
    column: str
    rows: int
    missing: int
    not_numbers: int
    outside: int
    compared: int
    differing: int
    largest: float
    tolerance: float
    maximum_share: float
    buckets: tuple[str, ...]
    shares: tuple[float, ...]
    versions: Mapping[str, tuple[int, int]]

    @property
    def share(self) -> float:
        """Of the compared rows, those that differ."""
        return self.differing / max(self.compared, 1)

    @property
    def unusable(self) -> int:
        """Rows without a probability."""
        return self.missing + self.not_numbers + self.outside

    @property
    def differs(self) -> bool:
        """Whether too many scores differ."""
        return self.share > self.maximum_share

    @property
    def beyond(self) -> list[str]:
        """What is too much, in words."""
        found = []
        if self.differs:
            found.append(
                f"score of {self.task} ({self.column}): {_percent(self.share)} of "
                f"{self.compared:,} rows differ by more than {self.tolerance:g} from those of "
                f"{_versions(list(self.versions))}, the largest by {self.largest:.3g}; "
                f"at most {_percent(self.maximum_share)} may"
            )
        if self.unusable / max(self.rows, 1) > self.maximum_share:
            found.append(
                f"score of {self.task} ({self.column}): {self.unusable_words}, of {self.rows:,} "
                f"rows; at most {_percent(self.maximum_share)} may be no probability"
            )
        return found

    @property
    def unusable_words(self) -> str:
        """How many scores are no probability, by why; empty where all are."""
        kinds = {
            "missing": self.missing,
            "no number": self.not_numbers,
            "outside of [0, 1]": self.outside,
        }
        return ", ".join(f"{count:,} {kind}" for kind, count in kinds.items() if count)


@dataclasses.dataclass(frozen=True)
class JoinedFeature:
    """One feature of the rows that have the same key on both sides.

    Attributes:
        movement: the share of rows with unequal values, as `unequal`.
        of_differing: the same among the rows whose score differs; None where there are none.
    """

    movement: Movement
    of_differing: float | None


@dataclasses.dataclass(frozen=True)
class Joined:
    """Served rows beside the logs' rows of the same key.

    Attributes:
        key: the feature.
        drawn: served rows that were looked for.
        found: of these, in the logs, each once.
        features: those that are unequal most come first.
    """

    key: str
    drawn: int
    found: int
    features: tuple[JoinedFeature, ...] = ()


@dataclasses.dataclass(frozen=True)
class Skew:
    """A whole result.

    Attributes:
        comparison: what was served against what was logged; None where nothing was compared.
        scores: by task.
        joined: by a key; None where none is set.
        malformed: serving logs' rows that no check lets pass, in words, where they are too many.
        notes: what a person should know; sentences without their full stop.
    """

    comparison: Comparison | None = None
    scores: tuple[ScoreSkew, ...] = ()
    joined: Joined | None = None
    malformed: str = ""
    notes: tuple[str, ...] = ()

    @property
    def beyond(self) -> list[str]:
        """All that lies beyond its threshold, in words."""
        found = [words for score in self.scores for words in score.beyond]
        found += [movement_words(movement) for movement in self.moved]
        return [*found, *([self.malformed] if self.malformed else [])]

    @property
    def moved(self) -> list[Movement]:
        """Measures of features that lie beyond their thresholds."""
        found = self.comparison.beyond if self.comparison else []
        joined = self.joined.features if self.joined else ()
        return [*found, *(one.movement for one in joined if one.movement.beyond)]

    @property
    def line(self) -> str | None:
        """What was found, for a terminal; None where nothing was looked at."""
        if self.comparison is None:
            return f"Serving skew: {self.malformed}" if self.malformed else None
        beyond, words = self.beyond, f"Serving skew, {self.comparison.words}"
        if not beyond:
            scores = [
                f"scores of {score.task} are equal in {_percent(1 - score.share)} of "
                f"{score.compared:,} rows"
                for score in self.scores
                if score.compared
            ]
            none = f"none of {len(self.comparison.features)} features differs beyond its threshold"
            return f"{words}: {'; '.join([none, *scores])}"
        named = "; ".join(beyond[:_NAMED])
        more = f"; and {len(beyond) - _NAMED} more, see the report" if beyond[_NAMED:] else ""
        return f"{words}: {named}{more}"

    def save(self, uri: str) -> None:
        """Writes the file into the artifact's folder."""
        tf.io.gfile.makedirs(uri)
        with tf.io.gfile.GFile(os.path.join(uri, _FILE), "w") as file:
            file.write(json.dumps(dataclasses.asdict(self), indent=2))

    @classmethod
    def load(cls, uri: str) -> "Skew":
        """Reads the file of an artifact."""
        with tf.io.gfile.GFile(os.path.join(uri, _FILE)) as file:
            values = json.load(file)
        comparison, joined = values["comparison"], values["joined"]
        return cls(
            comparison_of(comparison) if comparison else None,
            tuple(map(_score, values["scores"])),
            _joined(joined) if joined else None,
            values["malformed"],
            tuple(values["notes"]),
        )


def movement_words(movement: Movement) -> str:
    """A measure of a feature for a line of text."""
    name = f"{movement.of} ({movement.detail})" if movement.detail else movement.of
    measure = movement.measure.replace("_", " ")
    bound = f", threshold {movement.threshold:g}" if movement.threshold else ""
    if movement.measure == "unequal":
        return f"{name}: {_percent(movement.value)} of the rows with the same key differ{bound}"
    if movement.new is None or movement.before is None:
        return f"{name}: {measure} {movement.value:.4g}{bound}"
    return f"{name}: {measure} {movement.before:.4g} logged, {movement.new:.4g} served{bound}"


def _score(values: dict[str, Any]) -> ScoreSkew:
    tuples = {name: tuple(values[name]) for name in ("buckets", "shares")}
    versions = {number: (rows, wrong) for number, (rows, wrong) in values["versions"].items()}
    return ScoreSkew(**{**values, **tuples, "versions": versions})


def _joined(values: dict[str, Any]) -> Joined:
    features = tuple(
        JoinedFeature(Movement(**one["movement"]), one["of_differing"])
        for one in values["features"]
    )
    return Joined(**{**values, "features": features})


def _versions(numbers: list[str]) -> str:
    numbers = sorted(numbers, key=int)
    return f"version{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"


def _percent(share: float) -> str:
    """A share that is not 0 or all does not look like it."""
    return f"{100 * share:.3g} %" if share < 0.999 or share == 1.0 else f"{100 * share:.6g} %"
