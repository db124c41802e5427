"""What a served version was made of, as the push notes it beside the model."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

#: Environment variable with the revision of the repository that the experiment file lies in. A
#: local run sets it, the cluster's pods have it from their image or from ``kubeflow.nodes``.
REVISION_VARIABLE = "MTLX_REVISION"


@dataclasses.dataclass(frozen=True)
class SpanNote:
    """One portion of the logs.

    Attributes:
        number: of the span.
        is_date: whether it counts days since 1970-01-01.
    """

    number: int
    is_date: bool = False

    def __str__(self) -> str:
        """``2026-11-27``, or the number."""
        if not self.is_date:
            return str(self.number)
        return str(datetime.date(1970, 1, 1) + datetime.timedelta(days=self.number))


@dataclasses.dataclass(frozen=True)
class PushLineage:
    """Where a served model comes from; what is not known is None or empty.

    Attributes:
        experiment: name of the pipeline.
        trained_on: spans that it was trained and selected on, the oldest first.
        tested_on: spans that it was tested on.
        tested_until: column and largest time of the rows that it was tested on, where the split
            is by time.
        revision: of the repository that the experiment file lies in; it ends with ``+changed``
            where something there was not committed.
        verdict: ``blessed``, ``against`` (the model that it was compared with), and how many
            ``checks`` the gate made.
        metrics: by task of the gate: ``auc`` and, where it was compared, ``relaimp`` in percent,
            each with ``value``, ``lower`` and ``upper`` of its interval on all rows.
        schema_digest: SHA-256 of the schema that the examples were held against.
        unknown_labels: by task the spans among `trained_on` whose labels were not known yet.
        late_labels: by task the spans of which the training took labels that were not known when
            the model that it went on from was trained.
    """

    experiment: str | None = None
    trained_on: Sequence[SpanNote] = ()
    tested_on: Sequence[SpanNote] = ()
    tested_until: tuple[str, float | str] | None = None
    revision: str | None = None
    verdict: Mapping[str, Any] | None = None
    metrics: Mapping[str, Mapping[str, Mapping[str, float | None]]] = dataclasses.field(
        default_factory=dict
    )
    schema_digest: str | None = None
    unknown_labels: Mapping[str, Sequence[SpanNote]] = dataclasses.field(default_factory=dict)
    late_labels: Mapping[str, Sequence[SpanNote]] = dataclasses.field(default_factory=dict)

    @classmethod
    def of_record(cls, values: Mapping[str, Any]) -> "PushLineage":
        """Reads what `dataclasses.asdict` made; keys of a later version are left alone."""
        known = {field.name for field in dataclasses.fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        for name in ("trained_on", "tested_on"):
            kept[name] = tuple(SpanNote(**span) for span in kept.get(name) or ())
        for name in ("unknown_labels", "late_labels"):
            kept[name] = {
                task: tuple(SpanNote(**span) for span in spans)
                for task, spans in (kept.get(name) or {}).items()
            }
        if kept.get("tested_until") is not None:
            kept["tested_until"] = tuple(kept["tested_until"])
        return cls(**kept)

    @property
    def spans(self) -> str:
        """The spans for people: ``1-7 → 8``; empty where the logs have none."""
        trained, tested = (_range(spans) for spans in (self.trained_on, self.tested_on))
        return " → ".join(dict.fromkeys(part for part in (trained, tested) if part))


def _range(spans: Sequence[SpanNote]) -> str:
    """Spans as few words: neighbours as a range."""
    parts: list[list[SpanNote]] = []
    for span in sorted(set(spans), key=lambda span: span.number):
        if parts and span.number == parts[-1][-1].number + 1:
            parts[-1].append(span)
        else:
            parts.append([span])
    return ", ".join(
        str(part[0]) if len(part) == 1 else f"{part[0]}{_dash(part[0])}{part[-1]}" for part in parts
    )


def _dash(span: SpanNote) -> str:
    return " to " if span.is_date else "-"
