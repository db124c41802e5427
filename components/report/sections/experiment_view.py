"""The experiment of a run as the report shows it: a few facts, and every setting."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mtlx.components.report.sections.window_view import SpanView, window_fact
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE, REFERENCE

#: Sections in the order of the data's way; what else there is comes behind.
_ORDER = (
    "name", "data", "features", "target_item", "domain", "request_features", "tasks", "model",
    "training", "evaluation", "gate", "validation", "serving", "report", "components",
)  # fmt: skip


#: Longer values stand among all settings alone.
_LONGEST = 40

#: TFX numbers days from here on.
_UNIX_EPOCH = datetime.date(1970, 1, 1)


@dataclass(frozen=True)
class SectionView:
    """One section of the experiment file.

    Attributes:
        name: of the section.
        rows: key below it and value, both as text.
    """

    name: str
    rows: tuple[tuple[str, str], ...]


def model_words(experiment: Mapping[str, Any]) -> dict[str, str]:
    """What candidate and reference are, by model: network, its options, and the other parts.

    Args:
        experiment: sections of the experiment file as plain values; empty where they are unknown.
    """
    models = {CANDIDATE: experiment.get("model")}
    models[REFERENCE] = (experiment.get("gate") or {}).get("reference")
    return {name: _model(settings) for name, settings in models.items() if settings}


def experiment_facts(
    experiment: Mapping[str, Any], span: int | None, spans: Sequence[SpanView] = ()
) -> list[tuple[str, str]]:
    """How the models were trained, on what, kept by what, and what the gate asks for.

    Args:
        experiment: sections of the experiment file as plain values; empty where they are unknown.
        span: number of the portion of the logs that was read; shown where they have portions.
        spans: of the run's window; empty without one.
    """
    facts = []
    if training := experiment.get("training"):
        facts.append(("Training", _pairs(training, without=("select_by", "task_weights"))))
        chosen = {key: training[key] for key in ("select_by", "task_weights") if training.get(key)}
        if chosen:
            facts.append(("Selection", _pairs(chosen)))
    if data := experiment.get("data"):
        read = {"reader": data.get("reader"), "split by": (data.get("split") or {}).get("by")}
        facts.append(("Data", _pairs({**({} if spans else _span(data, span)), **read})))
    if spans:
        facts.append(("Spans", window_fact(spans, experiment)))
    if gate := experiment.get("gate"):
        shown = {key: value for key, value in gate.items() if key not in _GATE_ELSEWHERE}
        facts.append(("Gate", f"{_pairs(shown)}; {len(gate.get('thresholds', ()))} thresholds"))
    return facts


#: What the gate's line leaves to the checks and to the line of the reference model.
_GATE_ELSEWHERE = ("thresholds", "reference")


def experiment_sections(experiment: Mapping[str, Any]) -> list[SectionView]:
    """Every setting that has a value, by section."""
    names = [name for name in _ORDER if name in experiment]
    names += [name for name in experiment if name not in _ORDER]
    views = [SectionView(name, tuple(_rows(experiment[name], ""))) for name in names]
    return [view for view in views if view.rows]


def _span(data: Mapping[str, Any], span: int | None) -> dict[str, str]:
    """The portion by its number and, where the logs come by days, its date."""
    path = " ".join(data.get("path", ()))
    if span is None or "{" not in path:
        return {}
    if "{DD}" in path:
        return {"span": f"{span} ({_UNIX_EPOCH + datetime.timedelta(days=span)})"}
    return {"span": str(span)}


def _model(settings: Mapping[str, Any]) -> str:
    network = str(settings["network"])
    parts = {key: value for key, value in settings.items() if key not in ("network", "options")}
    words = _pairs({**(settings.get("options") or {}), **parts})
    return f"{network} ({words})" if words else network


def _pairs(values: Mapping[str, Any], without: tuple[str, ...] = ()) -> str:
    """``learning_rate 0.001, epochs 10``; without what has no value, long values by name only."""
    shown = {
        key: value
        for key, value in values.items()
        if key not in without and value is not None and value not in ({}, [])
    }
    texts = {key: _text(value) for key, value in shown.items()}
    return ", ".join(
        f"{key} {text if len(text) <= _LONGEST else '…'}" for key, text in texts.items()
    )


def _rows(value: Any, prefix: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            # A mapping of scalars, such as a feature, is read best in one line.
            if isinstance(below, Mapping) and _is_deep(below):
                yield from _rows(below, f"{prefix}{key}.")
            elif below is not None and below not in ({}, []):
                yield f"{prefix}{key}", _text(below)
    elif value is not None and value != []:
        yield prefix.removesuffix("."), _text(value)


def _is_deep(value: Mapping[str, Any]) -> bool:
    return any(isinstance(below, Mapping | list) and below for below in value.values())


def _text(value: Any) -> str:
    """A value in one line of YAML, without the braces of a mapping."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=1_000_000, sort_keys=False, allow_unicode=True
    )
    text = text.removesuffix("\n").removesuffix("\n...")
    return text[1:-1] if isinstance(value, Mapping) else text
