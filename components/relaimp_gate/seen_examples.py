"""What a run's examples tell of the rows in them: read from an Examples artifact."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from tfx import types

from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary


@dataclass(frozen=True)
class SeenFile:
    """A file of the logs as it was when it was read.

    Attributes:
        identity: size and time of the last change.
        rows: by split.
    """

    identity: tuple[int, int]
    rows: dict[str, int]

    @property
    def trained(self) -> int:
        """Rows that a model was trained or selected on."""
        return self.rows.get("train", 0) + self.rows.get("validation", 0)


@dataclass(frozen=True)
class SeenExamples:
    """The rows of one run.

    Attributes:
        uri: of the examples.
        span: number of the portion of the logs; None where the logs have no portions, or where
            that is not known.
        span_words: the same for people.
        rows: by split; empty where it is not known.
        files: by path; empty where it is not known.
        split: settings of the split.
        time_column: that a split by time reads.
        times: smallest and largest time by split.
        span_is_date: whether the span's number counts days since 1970-01-01.
    """

    uri: str
    span: int | None = None
    span_words: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, SeenFile] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    time_column: str | None = None
    times: dict[str, tuple[float | str, float | str]] = field(default_factory=dict)
    span_is_date: bool = False

    @property
    def words(self) -> str:
        """The portion of the logs and its files, for people."""
        count = len(self.files)
        files = f"{count:,} {'file' if count == 1 else 'files'}" if count else ""
        return ", ".join(text for text in (self.span_words, files) if text) or "not known"

    @classmethod
    def load(cls, artifact: types.Artifact) -> "SeenExamples":
        """Reads an artifact; of a stock ExampleGen, or of one whose files are gone, the span.

        Args:
            artifact: Examples, by LogExampleGen or a stock ExampleGen.
        """
        summary = read_ingestion_summary(artifact.uri)
        seen = summary.get("provenance") if summary else None
        if summary is None or seen is None:
            # A stock ExampleGen writes span 0 where the paths have no span.
            span = _property(artifact, "span") or None
            rows = summary.get("rows", {}) if summary else {}
            return cls(artifact.uri, span, _span_words(span, False), rows)
        files: dict[str, SeenFile] = {}
        for source in seen["sources"]:
            known = files.get(source["file"])
            rows = dict(source["rows"])
            if known is not None:  # Another part of the same file.
                rows = {
                    key: rows.get(key, 0) + known.rows.get(key, 0) for key in {*rows, *known.rows}
                }
            files[source["file"]] = SeenFile((source["size"], source["modified"]), rows)
        return cls(
            artifact.uri,
            seen["span"],
            _span_words(seen["span"], seen["span_is_date"]),
            summary["rows"],
            files,
            seen["split"],
            seen["time_column"],
            {split: tuple(bounds) for split, bounds in seen["times"].items()},
            seen["span_is_date"],
        )


def _property(artifact: types.Artifact, name: str) -> int:
    if artifact.has_custom_property(name):
        return artifact.get_int_custom_property(name)
    return 0


def _span_words(span: int | None, is_date: bool) -> str:
    if span is None:
        return ""
    if is_date:
        return f"the span of {datetime.date(1970, 1, 1) + datetime.timedelta(days=span)}"
    return f"span {span}"
