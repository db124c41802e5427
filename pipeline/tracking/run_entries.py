"""What MLflow is told of a run: parameters, metrics and tags, from the run's record."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

#: Of a parameter's or tag's text; servers of all versions take so much.
_LONGEST = 500
#: Of a name.
_LONGEST_NAME = 240
#: Characters that every server takes in a name.
_NOT_IN_NAMES = re.compile(r"[^\w\-. /]", re.ASCII)
#: Metrics of the models that were compared, as the evaluation names them.
_METRICS = ("auc", "log_loss", "calibration")
_COMPARISONS = ("relaimp", "auc_difference")


_Value = TypeVar("_Value")


@dataclasses.dataclass(frozen=True)
class RunEntries:
    """All that MLflow is told but for the report.

    Attributes:
        params: the experiment's settings by key path.
        metrics: ``auc/TASK/SLICE`` of the candidate, with ``.lower`` and ``.upper`` of its
            interval; of other models behind the model's name; ``run/seconds``, ``run/bytes``,
            ``seconds/NODE``. None is the beginning of another: to a folder as a store, names
            are paths.
        tags: run, outcome, spans, git revision, versions.
    """

    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]


def run_entries(record: Mapping[str, Any], settings: Mapping[str, Any]) -> RunEntries:
    """Takes a run's record apart.

    Args:
        record: what ``run.json`` holds.
        settings: sections of the experiment file as plain values.
    """
    params = {key: _short(value) for key, value in _named(_flat(settings, ""))}
    metrics = dict(_named(_metrics(record)))
    tags = {key: _short(value) for key, value in _tags(record) if value not in (None, "")}
    return RunEntries(params, metrics, tags)


def _flat(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """``training.epochs``, 3; an empty mapping has no entry."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _flat(below, f"{prefix}.{key}" if prefix else str(key))
    elif value is not None:
        yield prefix, value


def _metrics(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    further = [name for name in record.get("measured", ()) if name not in _METRICS]
    for one in record.get("metrics", ()):
        model = "" if one["model"] == "candidate" else f"{one['model']}/"
        yield from _values(one, model, (*_METRICS, *further))
    differences = [f"{name}_difference" for name in further]
    for one in record.get("comparisons", ()):
        yield from _values(one, f"over_{one['baseline']}/", (*_COMPARISONS, *differences))
    for node in record["nodes"]:
        yield f"seconds/{node['node_id']}", float(node["seconds"])
    sizes = [node["bytes"] for node in record["nodes"] if node.get("bytes") is not None]
    if sizes:
        yield "run/bytes", float(sum(sizes))
    yield "run/seconds", float(record["seconds"])


def _values(
    entry: Mapping[str, Any], model: str, names: tuple[str, ...]
) -> Iterator[tuple[str, float]]:
    where = f"{entry['task']}/{entry['slice']}"
    for name in names:
        for bound in ("", "_lower", "_upper"):
            value = entry.get(f"{name}{bound}")
            if value is not None:
                yield f"{model}{name}/{where}{bound.replace('_', '.')}", float(value)


def _tags(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    spans = record.get("spans") or {}
    git = record.get("git") or {}
    yield "mtlx.run_id", record["run_id"]
    yield "mtlx.outcome", record["outcome"]
    yield "mtlx.verdict", "blessed" if record.get("blessed") else "not blessed"
    yield "mtlx.failed", record.get("at")
    yield "mtlx.model", record.get("model")
    yield "mtlx.spans.train", " ".join(map(str, spans.get("train", ())))
    yield "mtlx.spans.test", " ".join(map(str, spans.get("test", ())))
    yield "mtlx.git.revision", git.get("revision")
    yield "mtlx.git.changed", git.get("changed")
    yield "mtlx.pushed_to", record.get("pushed_to")
    for name, version in (record.get("versions") or {}).items():
        yield f"mtlx.version.{name}", version


def _named(entries: Iterable[tuple[str, _Value]]) -> Iterator[tuple[str, _Value]]:
    """Names that MLflow takes: ``domain=search`` is ``domain_search``; no two are the same."""
    taken: dict[str, int] = {}
    for name, value in entries:
        plain = _NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME]
        taken[plain] = taken.get(plain, 0) + 1
        yield plain if taken[plain] == 1 else f"{plain} {taken[plain]}", value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
