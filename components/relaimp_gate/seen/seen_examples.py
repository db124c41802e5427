"""What a run's examples tell of the rows in them: read from an Examples artifact."""

from dataclasses import dataclass, field, replace
from typing import Any

from tfx import types

from mtlx.components.log_example_gen.ingestion_summary import read_ingestion_summary
from mtlx.components.log_example_gen.spans.span_artifact import by_span
from mtlx.components.log_example_gen.spans.span_marks import many_words, span_words


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
        span: number of the portion of the logs, with a window of the newest that tests; None
            where the logs have no portions, or where that is not known.
        span_words: the same for people.
        rows: by split; empty where it is not known.
        files: by path; empty where it is not known.
        split: settings of the split.
        time_column: that a split by time reads.
        times: smallest and largest time by split.
        trained_spans: with a window, the portions that trained.
        tested_spans: likewise.
        span_is_date: whether the span's number counts days since 1970-01-01.
        before: without a window, the rows of the runs whose models this run's model went on from;
            with one, all spans that these saw are among `trained_spans`.
    """

    uri: str
    span: int | None = None
    span_words: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, SeenFile] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    time_column: str | None = None
    times: dict[str, tuple[float | str, float | str]] = field(default_factory=dict)
    trained_spans: frozenset[int] = frozenset()
    tested_spans: frozenset[int] = frozenset()
    span_is_date: bool = False
    before: tuple["SeenExamples", ...] = ()

    @property
    def words(self) -> str:
        """The portion of the logs and its files, for people."""
        count = len(self.files)
        files = f"{count:,} {'file' if count == 1 else 'files'}" if count else ""
        return ", ".join(text for text in (self.span_words, files) if text) or "not known"

    @classmethod
    def load_all(
        cls, trained: list[types.Artifact], tested: list[types.Artifact]
    ) -> "SeenExamples":
        """Reads the artifacts of a model, of a window or not.

        Args:
            trained: examples of which some splits train, those of the models that it went on from
                included; without a window one artifact of each, of which another split tests.
            tested: with a window those that test as a whole; empty where they are not known.
        """
        parts = [cls.load(artifact) for artifact in by_span(trained)]
        if not tested and all(part.split.get("by") != "span" for part in parts):
            return replace(parts[-1], before=tuple(parts[:-1]))
        # Before there was a window, rows went by a rule of another kind.
        others = tuple(part for part in parts if part.split.get("by", "span") != "span")
        spans = [part for part in parts if part not in others] or parts
        joined = _joined(spans, [cls.load(artifact)._as_test() for artifact in by_span(tested)])
        return replace(joined, before=others)

    def _as_test(self) -> "SeenExamples":
        """The same rows, all of which test."""
        files = {
            path: SeenFile(file.identity, {"test": sum(file.rows.values())})
            for path, file in self.files.items()
        }
        return replace(self, rows={"test": sum(self.rows.values())}, files=files)

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
            span_is_date=seen["span_is_date"],
        )


def _property(artifact: types.Artifact, name: str) -> int:
    if artifact.has_custom_property(name):
        return artifact.get_int_custom_property(name)
    return 0


def _span_words(span: int | None, is_date: bool) -> str:
    if span is None:
        return ""
    return f"the span of {span_words(span, True)}" if is_date else f"span {span}"


def _joined(trained: list[SeenExamples], tested: list[SeenExamples]) -> SeenExamples:
    """The rows of a window."""
    parts = [*trained, *tested]
    rows: dict[str, int] = {}
    for part in parts:
        for split, count in part.rows.items():
            rows[split] = rows.get(split, 0) + count
    date = any(part.span_is_date for part in parts)
    spans = [frozenset(p.span for p in some if p.span is not None) for some in (trained, tested)]
    words = [
        f"{what} on span{'s' if len(found) > 1 else ''} {many_words(found, date)}"
        for what, found in zip(("trained", "tested"), spans, strict=True)
        if found
    ]
    known = all(part.files for part in parts)
    return SeenExamples(
        uri="|".join(part.uri for part in parts),
        span=max(spans[1], default=max(spans[0], default=None)),
        span_words=", ".join(words),
        rows=rows,
        files={path: file for part in parts for path, file in part.files.items()} if known else {},
        split=parts[0].split or {"by": "span"},
        trained_spans=spans[0],
        tested_spans=spans[1],
        span_is_date=date,
    )
