"""Whether rows that share a feature's value are alike, where no user key says which are."""

import dataclasses
import json
import os
from dataclasses import asdict, dataclass

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma

from mtlx.components.slice_evaluation.evaluation_batch import EvaluationBatch
from mtlx.components.slice_evaluation.metrics.task_rows import TaskRows
from mtlx.components.slice_evaluation.statistics.cluster_sums import ClusterSums
from mtlx.components.slice_evaluation.statistics.paired_pass import PairedPass
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.features import CategoricalFeature

#: File in the evaluation's folder.
SHARED_ROWS_FILE = "shared_rows.json"
#: Under which the evaluator hands the findings to the writer.
SHARED_ROWS_KEY = "shared_rows"
#: Features that are looked at, at most: those that no model embeds (ids, mostly) come first.
_MAXIMUM_FEATURES = 4
#: Rows, about, that are looked at: all rows of a random part of the values.
_SAMPLED_ROWS = 50_000
#: A feature with fewer values that have several rows is no user's; one that no model reads, an
#: id mostly, may have fewer.
_LEAST_VALUES, _LEAST_VALUES_OF_AN_ID = 50, 12
#: Nor is one that models read whose values have more rows than this on average, say a trade or a
#: country: its rows are alike because the scores follow it.
_MOST_ROWS_OF_A_USER = 200
#: The variance by value over that by row from which on it is said, and how many standard errors
#: an excess has to be above 0 (several features and tasks are looked at).
_DESIGN_EFFECT, _STANDARD_ERRORS = 1.2, 4.0


@dataclass(frozen=True)
class SharedRows:
    """A feature whose rows are alike.

    Attributes:
        feature: name.
        task: where it matters most.
        values: of the feature, that have several of the rows that were looked at.
        factor: by which the intervals of the candidate's AUC would widen with it as user key.
        embedded: whether models read the feature.
    """

    feature: str
    task: str
    values: int
    factor: float
    embedded: bool

    @property
    def notice(self) -> str:
        """A sentence for the reader."""
        doubtful = self.embedded or self.values < _LEAST_VALUES
        condition = f" if {self.feature} tells users apart" if doubtful else ""
        return (
            f"Rows share {self.feature}, and those of one value are alike (task {self.task}): "
            f"intervals, which take rows as independent, are about {self.factor:.1f} times too "
            f"narrow{condition}; name it in evaluation.user_key."
        )


def grouping_features(contract: DataContract) -> list[str]:
    """Features that may name users: categorical ones, those that are not embedded first."""
    domain = contract.domain.feature if contract.domain else None
    found = [
        name
        for name, feature in contract.features.items()
        if isinstance(feature, CategoricalFeature) and name != domain
    ]
    found.sort(key=lambda name: contract.categorical(name).embed)
    return found[:_MAXIMUM_FEATURES]


def readable_features(names: list[str], files: list[str]) -> list[str]:
    """Those that the first example holds as text or not at all.

    Examples of other components may hold ids as numbers.
    """
    for path in files:
        for record in tf.data.TFRecordDataset(path, "GZIP" if path.endswith(".gz") else "").take(1):
            held = tf.train.Example.FromString(record.numpy()).features.feature
            return [n for n in names if held[n].WhichOneof("kind") in (None, "bytes_list")]
    return []


class GroupedPlacements:
    """Sums placements, and their squares, per value of each feature, over all rows.

    Args:
        features: names.
        tasks: number of tasks.
    """

    def __init__(self, features: tuple[str, ...], tasks: int):
        self._features, self._tasks = features, tasks

    def sums(self, batch: EvaluationBatch, paired: PairedPass) -> ClusterSums:
        """The candidate's of a batch; group = feature · T + task; a cluster is a value.

        In place of two models stand the placement and its square.
        """
        totals, sums = paired.totals, ClusterSums(2)
        if not self._features:
            return sums
        (overall,) = totals.ordinals(((),))
        # The first column is that of the overall slice.
        alone = dataclasses.replace(batch, slices=batch.slices[:1])
        for rows in paired.rows(alone):
            task, members = rows.task, rows.members
            own = rows.placements[0] * _mean_one(rows)
            parts = np.uint64(-(-int(totals.examples[overall, task]) // _SAMPLED_ROWS))
            for place, feature in enumerate(self._features):
                values = batch.groupings[feature][members]
                # Zero stands for no value.
                kept = (values != 0) & ((values >> np.uint64(8)) % parts == 0)
                group = np.full(int(kept.sum()), place * self._tasks + task)
                both = np.stack([own[kept], np.square(own[kept])])
                sums.add(values[kept], group, both, rows.labels[kept])
        return sums


def _mean_one(rows: TaskRows) -> np.ndarray:
    """The rows' weights over the mean weight of their class, ``(N,)``."""
    totals = rows.totals
    counts = np.stack([totals.positives, totals.negatives])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (counts / totals.class_weights)[:, :, rows.task]
    return rows.weights * np.where(rows.labels, scale[0, rows.slices], scale[1, rows.slices])


def find_shared_rows(
    sums: ClusterSums,
    paired: PairedPass,
    features: list[str],
    tasks: tuple[str, ...],
    contract: DataContract,
) -> list[SharedRows]:
    """Returns the features whose rows are alike: one per feature, the strongest first.

    The design effect (Kish 1965) is the variance of the AUC with values as clusters over that
    with rows as clusters. What it exceeds 1 by is a sum over the values; with independent rows
    its mean is 0, and the variance of a value's part at most twice the square of its rows' part.
    With few values that shows only a very large effect. Of a feature that no model reads it is
    enough that the values' positives, or their negatives, are clearly alike, each class by itself:
    that shows much sooner, since a user's positives and negatives are off to the same side, so
    that their contributions to the AUC partly cancel. (Of a feature that models read it says
    nothing: the scores follow it.) How much it matters is the design effect in any case.

    Args:
        sums: of all batches.
        paired: totals and AUCs.
        features: as in `GroupedPlacements`.
        tasks: names.
        contract: says which features are embedded.
    """
    sums.compact()
    (overall,) = paired.totals.ordinals(((),))
    found: dict[str, SharedRows] = {}
    for place, feature in enumerate(features):
        for task, name in enumerate(tasks):
            own = sums.columns_of(place * len(tasks) + task)
            positives = float(paired.totals.positives[overall, task])
            negatives = float(paired.totals.negatives[overall, task])
            several, embedded = own[:, 4] + own[:, 5] > 1, contract.categorical(feature).embed
            least = _LEAST_VALUES if embedded else _LEAST_VALUES_OF_AN_ID
            if several.sum() < least or not np.isfinite(paired.auc[overall, 0, task]):
                continue
            if embedded and own[several, 4:6].sum() > _MOST_ROWS_OF_A_USER * several.sum():
                continue
            of_positives, of_negatives = own[:, 0] / positives, own[:, 2] / negatives
            by_value = np.square(of_positives + of_negatives)
            by_class = np.square(of_positives) + np.square(of_negatives)
            by_row = own[:, 1] / positives**2 + own[:, 3] / negatives**2
            effect = by_value.sum() / by_row.sum() if by_row.sum() > 0 else 1.0
            clear = _exceeds(by_value, by_row) or not embedded and _exceeds(by_class, by_row)
            if not clear or effect < _DESIGN_EFFECT:
                continue
            factor = float(np.sqrt(effect))
            if feature not in found or found[feature].factor < factor:
                found[feature] = SharedRows(feature, name, int(several.sum()), factor, embedded)
    return sorted(found.values(), key=lambda shared: (shared.embedded, -shared.factor))


def _exceeds(by_value: np.ndarray, by_row: np.ndarray) -> bool:
    """Whether values vary by more than their rows do, by so many standard errors."""
    error = np.sqrt(2 * np.square(by_row).sum())
    return bool((by_value - by_row).sum() > _STANDARD_ERRORS * error)


def shared_rows_writer(uri: str) -> tfma.writers.Writer:
    """Returns a writer of the findings under `SHARED_ROWS_KEY`.

    Args:
        uri: folder of the evaluation.
    """
    return tfma.writers.Writer("WriteSharedRows", _WriteFindings(uri))


class _WriteFindings(beam.PTransform):
    """An evaluation's findings to `SHARED_ROWS_FILE`."""

    def __init__(self, uri: str):
        super().__init__()
        self._uri = uri

    def expand(self, evaluation: tfma.evaluators.Evaluation) -> beam.PCollection:
        return evaluation[SHARED_ROWS_KEY] | "ToFile" >> beam.Map(_write, self._uri)


def _write(found: list[SharedRows], uri: str) -> None:
    tf.io.gfile.makedirs(uri)
    with tf.io.gfile.GFile(os.path.join(uri, SHARED_ROWS_FILE), "w") as file:
        file.write(json.dumps([asdict(shared) for shared in found]))


def load_shared_rows(uri: str) -> list[SharedRows]:
    """Reads the findings of an evaluation; none where users were named, or it is older."""
    path = os.path.join(uri, SHARED_ROWS_FILE)
    if not tf.io.gfile.exists(path):
        return []
    with tf.io.gfile.GFile(path) as file:
        return [SharedRows(**shared) for shared in json.load(file)]
