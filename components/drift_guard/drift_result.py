"""What the drift guard found: its artifact, its one file, and the words for it."""

import dataclasses
import json
import os
from typing import Any

import tensorflow as tf
from tfx.types import artifact

_FILE = "drift.json"
#: Movements that a line names.
_NAMED = 3


class DriftResult(artifact.Artifact):
    """A folder with one JSON file, a `Drift`."""

    TYPE_NAME = "DriftResult"


@dataclasses.dataclass(frozen=True)
class Movement:
    """One measure of one feature or label.

    Attributes:
        of: name of the feature, or of the task.
        measure: ``jensen_shannon``, ``l_infinity``, ``psi``, ``missing``, ``out_of_vocabulary``,
            ``mean_shift`` or ``label_rate``.
        value: of the measure.
        noise: what chance alone makes of it, see `mtlx.components.drift_guard.distances`.
        threshold: that `value` less `noise` is held against; None for none.
        new: the share that is measured, among the newest rows; None for a distance.
        before: the same among the rows before; for values out of the vocabulary, the share that
            is expected of rows like those before.
        detail: which value or domain it is about, or empty.
    """

    of: str
    measure: str
    value: float
    noise: float
    threshold: float | None
    new: float | None = None
    before: float | None = None
    detail: str = ""

    @property
    def moved(self) -> float:
        """The measure without what chance makes of it."""
        return max(self.value - self.noise, 0.0)

    @property
    def beyond(self) -> bool:
        """Whether that is too much."""
        return self.threshold is not None and self.moved > self.threshold

    @property
    def words(self) -> str:
        """For a line of text."""
        name = f"{self.of} ({self.detail})" if self.detail else self.of
        measure = self.measure.replace("_", " ")
        if self.new is not None and self.before is not None:
            found = f"{measure} {self.before:.4g} before, {self.new:.4g} now"
        else:
            found = f"{measure} {self.value:.4g}"
        return f"{name}: {found}, threshold {self.threshold:g}" if self.threshold else name


@dataclasses.dataclass(frozen=True)
class FeatureDrift:
    """All that was measured of one feature.

    Attributes:
        name: of the feature.
        kind: ``numeric``, ``categorical``, ``sequence``, ``vector`` or ``weights``.
        score: the largest of its movements, as a multiple of its threshold.
        movements: of the feature.
        buckets: names of buckets, or values, of the histograms.
        new: shares of the newest rows' values in them.
        before: shares of those before.
    """

    name: str
    kind: str
    score: float
    movements: tuple[Movement, ...]
    buckets: tuple[str, ...] = ()
    new: tuple[float, ...] = ()
    before: tuple[float, ...] = ()

    @property
    def tallest(self) -> float:
        """Of the bars of both histograms, which are drawn to one scale."""
        return max([*self.new, *self.before], default=0.0)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The newest examples against others.

    Attributes:
        newest: which they are, in words.
        before: which the others are.
        rows_new: of the newest.
        rows_before: of the others.
        features: those that moved most come first.
        labels: rates per task and domain, those that moved most first.
    """

    newest: str
    before: str
    rows_new: int
    rows_before: int
    features: tuple[FeatureDrift, ...]
    labels: tuple[Movement, ...]

    @property
    def beyond(self) -> list[Movement]:
        """Movements beyond their thresholds, by how far they are."""
        found = [m for feature in self.features for m in feature.movements if m.beyond]
        found += [m for m in self.labels if m.beyond]
        return sorted(found, key=lambda m: -m.moved / (m.threshold or 1.0))

    @property
    def words(self) -> str:
        """What was compared."""
        return f"{self.newest} against {self.before}"

    @property
    def line(self) -> str:
        """What moved, for a terminal."""
        beyond = self.beyond
        if not beyond:
            return (
                f"Drift, {self.words}: none of {len(self.features)} features and "
                f"{len(self.labels)} label rates moved beyond its threshold"
            )
        named = "; ".join(movement.words for movement in beyond[:_NAMED])
        more = f"; and {len(beyond) - _NAMED} more, see the report" if beyond[_NAMED:] else ""
        return f"Drift, {self.words}: {named}{more}"


@dataclasses.dataclass(frozen=True)
class Drift:
    """A whole result.

    Attributes:
        comparisons: the newest examples against all before, and with spans against the one before.
        notes: what could not be compared, and why.
    """

    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def beyond(self) -> list[Movement]:
        """Movements beyond their thresholds in any comparison."""
        return [movement for one in self.comparisons for movement in one.beyond]

    def lines(self) -> list[str]:
        """One line per comparison and per note, for a terminal."""
        return [*(one.line for one in self.comparisons), *self.notes]

    def save(self, uri: str) -> None:
        """Writes the file into the artifact's folder."""
        tf.io.gfile.makedirs(uri)
        with tf.io.gfile.GFile(os.path.join(uri, _FILE), "w") as file:
            file.write(json.dumps(dataclasses.asdict(self), indent=2))

    @classmethod
    def load(cls, uri: str) -> "Drift":
        """Reads the file of an artifact."""
        with tf.io.gfile.GFile(os.path.join(uri, _FILE)) as file:
            values = json.load(file)
        return cls(tuple(map(comparison_of, values["comparisons"])), tuple(values["notes"]))


def comparison_of(values: dict[str, Any]) -> Comparison:
    """Inverse of `dataclasses.asdict`."""
    features = tuple(
        FeatureDrift(
            **{
                **feature,
                "movements": tuple(Movement(**m) for m in feature["movements"]),
                **{key: tuple(feature[key]) for key in ("buckets", "new", "before")},
            }
        )
        for feature in values["features"]
    )
    labels = tuple(Movement(**movement) for movement in values["labels"])
    return Comparison(**{**values, "features": features, "labels": labels})
