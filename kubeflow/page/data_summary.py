"""What ingestion, statistics and validation say of the data, as Markdown."""

import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils, standard_artifacts

from mtlx.components.anomaly_guard.anomalies import load_anomalies
from mtlx.components.drift_guard.drift_result import Drift
from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary
from mtlx.components.report.formatting import count, duration, share, short
from mtlx.components.report.report_data import FeatureStatistics
from mtlx.components.report.sections.data_statistics import load_statistics
from mtlx.kubeflow.page.markdown import code, plain, table

#: Features of a split that are listed.
_MAXIMUM_FEATURES = 200
#: Anomalies that are listed.
_MAXIMUM_ANOMALIES = 200
#: Features that moved most that are listed.
_MOST_MOVED = 10


def ingestion_summary(uri: str) -> list[str]:
    """What LogExampleGen read, and what of it is malformed.

    Args:
        uri: of the examples.
    """
    summary = read_ingestion_summary(uri)
    if summary is None:
        return ["## Rows", "", "There is no summary of the ingestion beside the examples."]
    rows, malformed = sum(summary["rows"].values()), sum(summary["malformed"].values())
    lines = ["## Rows", *table(
        ("Split", ">Rows", ">Share"),
        [(plain(name), count(number), share(number, rows)) for name, number in
         summary["rows"].items()] + [("all", count(rows), "")],
    )]  # fmt: skip
    filtered = summary.get("filtered", 0)
    lines.append(
        f"{count(rows + malformed + filtered)} rows read in {duration(summary['seconds'])}."
    )
    if filtered:
        lines.append(f"{count(filtered)} do not meet the conditions of data.where: left out.")
    if not malformed:
        others = "All others" if filtered else "All of them"
        return [*lines, f"{others} were taken over."]
    lines.append(
        f"{count(malformed)} rows ({share(malformed, rows + malformed)}) are malformed, were left "
        f"out, and are kept in {code(summary['quarantine'])}."
    )
    return lines + table(
        ("Reason", ">Rows"),
        [(plain(reason), count(number)) for reason, number in summary["malformed"].items()],
    )


def statistics_summary(uri: str) -> list[str]:
    """One table of features per split.

    Args:
        uri: of the statistics.
    """
    lines = []
    for split in load_statistics(_of_splits(standard_artifacts.ExampleStatistics, uri)):
        lines += [f"## Split {plain(split.split)}: {count(split.rows)} rows"]
        rows = [_feature(feature, split.rows) for feature in split.features[:_MAXIMUM_FEATURES]]
        lines += table(("Feature", "Kind", ">Missing", "Values"), rows)
        if len(split.features) > _MAXIMUM_FEATURES:
            lines.append(f"The first {_MAXIMUM_FEATURES} of {len(split.features)} features.")
    return lines


def anomalies_summary(uri: str) -> list[str]:
    """Where the data differs from its schema.

    Args:
        uri: of the anomalies.
    """
    found = load_anomalies(_of_splits(standard_artifacts.ExampleAnomalies, uri))
    if not found:
        return ["## Anomalies", "", "None: all splits match their schema."]
    rows = [
        (plain(a.split), plain(a.feature), plain(a.severity), plain(a.description))
        for a in found[:_MAXIMUM_ANOMALIES]
    ]
    lines = [f"## {len(found)} anomalies", *table(("Split", "Feature", "Severity", ""), rows)]
    if len(found) > _MAXIMUM_ANOMALIES:
        lines.append(f"The first {_MAXIMUM_ANOMALIES} of {len(found)}.")
    return lines


def drift_summary(uri: str) -> list[str]:
    """How far the newest examples moved.

    Args:
        uri: of what DriftGuard found.
    """
    drift = Drift.load(uri)
    lines = [plain(note) for note in drift.notes]
    for comparison in drift.comparisons:
        lines += [f"## {plain(comparison.words)}", "", plain(comparison.line)]
        rows = [
            (plain(feature.name), plain(m.measure), short(m.value), short(m.noise),
             short(m.threshold) if m.threshold else "none", "beyond" if m.beyond else "")
            for feature in comparison.features[:_MOST_MOVED]
            for m in feature.movements
        ]  # fmt: skip
        lines += table(
            ("Feature", "Measure", ">Moved by", ">By chance up to", ">Threshold", ""), rows
        )
    return lines


def _feature(feature: FeatureStatistics, rows: int) -> tuple[str, str, str, str]:
    if feature.kind == "number":
        values = (
            f"{short(feature.minimum)} to {short(feature.maximum)}, mean {short(feature.mean)}, "
            f"median {short(feature.median)}"
        )
    elif feature.kind == "text":
        top = ", ".join(f"{value} ({share(n, feature.rows)})" for value, n in feature.top)
        values = f"{count(feature.distinct)} distinct" + (f": {top}" if top else "")
    else:
        values = ""
    if feature.values_per_row > 1.0:
        values += f"; {short(feature.values_per_row)} per row"
    missing = share(feature.missing, rows)
    return plain(feature.name), feature.kind, missing, plain(values)


def _of_splits(kind: type[types.Artifact], uri: str) -> types.Artifact:
    """An artifact of the splits that lie in the folder; only its URI is known here."""
    artifact = kind()
    artifact.uri = uri
    splits = [name.rstrip("/") for name in tf.io.gfile.listdir(uri)]
    names = sorted(name.removeprefix("Split-") for name in splits if name.startswith("Split-"))
    artifact.split_names = artifact_utils.encode_split_names(names)
    return artifact
