"""What a table of runs shows of one of them, taken from its record."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Any, TypeAlias

#: A value and its interval; None where one is undefined.
Interval: TypeAlias = tuple[float | None, float | None, float | None]

_CANDIDATE = "candidate"
#: Models that the candidate is compared with; the first that was evaluated counts.
_AGAINST = ("baseline", "reference")
_OVERALL = "overall"
#: Nodes whose failure says that the data moved, or was served otherwise, by more than is allowed.
DRIFT_NODE, SKEW_NODE = "DriftGuard", "SkewGuard"
#: Of what moved, so many are named; the others stand in the record.
_MOST_WORDS = 3


class Outcome(str, enum.Enum):
    """How a run ended, or that it has not."""

    BLESSED = "blessed"
    NOT_BLESSED = "not blessed"
    FAILED = "failed"
    STOPPED = "stopped"
    #: What a record says until the run's end, and what is so while its process lives.
    UNDER_WAY = "under way"
    #: A run whose process is gone without a word.
    KILLED = "killed"
    #: There is a record, but it cannot be read.
    UNREADABLE = "unreadable"


@dataclasses.dataclass(frozen=True)
class NodeSummary:
    """One node of a run.

    Attributes:
        node_id: the node.
        state: as `mtlx.pipeline.run.run_result.NodeRun` has it.
        seconds: wall time.
        bytes: that it wrote; None where it wrote nothing or it is not known.
    """

    node_id: str
    state: str
    seconds: float
    bytes: int | None = None


@dataclasses.dataclass(frozen=True)
class RunSummary:
    """One run.

    Attributes:
        run_id: name of its folder.
        outcome: how it ended.
        begun: when, with the time zone (ISO 8601); None where it is not known.
        seconds: from beginning to end; of runs before this was noted, the nodes' sum.
        at: the node that failed or at which it was stopped, in words; None of other runs.
        message: why it failed, in one line.
        model: the network and, where it is not the network's own, the training method.
        spans: numbers of the logs' spans, ``train`` and ``test``, and whether they are ``days``.
        pushed_to: folder of the version that it pushed or found pushed.
        process: of a run under way, its process's number.
        bytes: that its nodes wrote to the disk; what came from the cache is another run's.
        nodes: in the order in which they ran.
        auc: the candidate's on all test rows, by task.
        against: the model that the candidate was compared with, ``baseline`` or ``reference``.
        against_auc: that model's AUC, by task.
        relaimp: over that model in percent, by task.
        drift: what moved beyond its threshold, in words, the first few; of a run that drift
            stopped, its message.
        skew: what was served otherwise than logged, likewise.
    """

    run_id: str
    outcome: Outcome
    begun: str | None = None
    seconds: float | None = None
    at: str | None = None
    message: str | None = None
    model: str | None = None
    spans: Mapping[str, Any] | None = None
    pushed_to: str | None = None
    process: int | None = None
    bytes: int | None = None
    nodes: tuple[NodeSummary, ...] = ()
    auc: Mapping[str, Interval] = dataclasses.field(default_factory=dict)
    against: str | None = None
    against_auc: Mapping[str, Interval] = dataclasses.field(default_factory=dict)
    relaimp: Mapping[str, Interval] = dataclasses.field(default_factory=dict)
    drift: tuple[str, ...] = ()
    skew: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """How it ended, with where, and whether it pushed: ``failed at Trainer``."""
        words = self.outcome.value
        if self.at is not None:
            words += f" {self.at}"
        if self.pushed_to is not None:
            words += ", pushed"
        return words

    @classmethod
    def of_record(cls, run_id: str, record: Mapping[str, Any]) -> "RunSummary":
        """Takes what a table shows from ``run.json``, of this version or an older one.

        Raises:
            KeyError: something is missing that every record has.
            TypeError: something is of another type.
            ValueError: likewise.
        """
        nodes = tuple(
            NodeSummary(node["node_id"], node["state"], node["seconds"], node.get("bytes"))
            for node in record["nodes"]
        )
        sizes = [node.bytes for node in nodes if node.bytes is not None]
        metrics = [one for one in record.get("metrics", ()) if one["slice"] == _OVERALL]
        compared = [one for one in record.get("comparisons", ()) if one["slice"] == _OVERALL]
        against = next((m for m in _AGAINST if any(c["baseline"] == m for c in compared)), None)
        return cls(
            run_id=run_id,
            outcome=_outcome(record),
            begun=record.get("begun") or begun_by_name(run_id),
            seconds=record.get("seconds", sum(node.seconds for node in nodes)),
            at=record.get("at"),
            message=record.get("message"),
            model=record.get("model"),
            spans=_spans(record),
            pushed_to=record.get("pushed_to"),
            process=record.get("process"),
            bytes=sum(sizes) if sizes else None,
            nodes=nodes,
            auc=_intervals(metrics, "model", _CANDIDATE, "auc"),
            against=against,
            against_auc=_intervals(metrics, "model", against, "auc"),
            relaimp=_intervals(compared, "baseline", against, "relaimp"),
            drift=_moved(record, "drift", DRIFT_NODE),
            skew=_moved(record, "skew", SKEW_NODE),
        )

    def to_values(self) -> dict[str, Any]:
        """This summary in types that JSON has."""
        return {**dataclasses.asdict(self), "outcome": self.outcome.value}

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> "RunSummary":
        """Inverse of `to_values`; keys of later versions are left out.

        Raises:
            KeyError: something is missing that every summary has.
            TypeError: something is of another type.
            ValueError: likewise.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        given = {key: value for key, value in values.items() if key in known}
        given["outcome"] = Outcome(values["outcome"])
        given["nodes"] = tuple(NodeSummary(**node) for node in values["nodes"])
        for name in ("auc", "against_auc", "relaimp"):
            given[name] = {task: tuple(found) for task, found in values[name].items()}
        given |= {name: tuple(given[name]) for name in ("drift", "skew") if name in given}
        return cls(**given)


def begun_by_name(run_id: str) -> str | None:
    """When a run began, from the name that `mtlx.pipeline.run.local_run` gave it."""
    try:
        return datetime.datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").astimezone().isoformat()
    except ValueError:
        return None


def _spans(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Of a window, what the run says of it itself."""
    spans, window = record.get("spans"), record.get("window")
    if not window:
        return spans
    days = bool(spans and spans["days"])
    return {"train": window["train"], "test": window["test"], "days": days}


def _moved(record: Mapping[str, Any], name: str, node: str) -> tuple[str, ...]:
    """What a guard found: in the run's record, or where it stopped the run."""
    if record.get("outcome") == Outcome.FAILED.value and record.get("at") == f"at {node}":
        return (str(record.get("message")),)
    found = record.get(name) or []
    more = [f"and {len(found) - _MOST_WORDS:,} more"] if len(found) > _MOST_WORDS else []
    return (*found[:_MOST_WORDS], *more)


def _outcome(record: Mapping[str, Any]) -> Outcome:
    """Before runs noted it, only those had a record that came to their end."""
    if "outcome" in record:
        return Outcome(record["outcome"])
    return Outcome.BLESSED if record["blessed"] else Outcome.NOT_BLESSED


def _intervals(
    entries: list[dict[str, Any]], key: str, name: str | None, value: str
) -> dict[str, Interval]:
    return {
        one["task"]: (one[value], one.get(f"{value}_lower"), one.get(f"{value}_upper"))
        for one in entries
        if name is not None and one[key] == name
    }
