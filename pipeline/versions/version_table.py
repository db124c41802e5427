"""The versions of a serving folder, as a table for people and as records for programs."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from mtlx.components.model_pusher.serving_folder.push_lineage import PushLineage
from mtlx.components.model_pusher.serving_folder.versions import Version

_COLUMNS = ("version", "pushed", "run", "spans", "verdict", "AUC and RelaImp (%)", "")


def version_records(versions: list[Version]) -> list[dict[str, Any]]:
    """Everything that is known of each version, the oldest first, in types that JSON has.

    Returns:
        Per version `number`, `path`, `serves`, `withdrawn`, `restores` and what its push noted:
        `run_id`, `pushed_at`, `model`, `digest`, `lineage`; None for what it did not.
    """
    return [
        {
            "version": version.number,
            "path": version.path,
            "serves": version.serves,
            "withdrawn": version.withdrawn,
            "restores": version.original if version.original != version.number else None,
            **{
                name: getattr(version.record, name, None)
                for name in ("run_id", "pushed_at", "model", "digest")
            },
            "lineage": _lineage_record(version),
        }
        for version in versions
    ]


def version_table(versions: list[Version]) -> Table:
    """A row per version, the newest first."""
    table = Table()
    for name in _COLUMNS:
        table.add_column(Text(name), overflow="fold")
    for version in reversed(versions):
        record = version.record
        lineage = (record.lineage if record else None) or PushLineage()
        style = "bold green" if version.serves else "dim" if version.withdrawn else ""
        cells = (
            str(version.number),
            _moment(record.pushed_at) if record else "by another program",
            (record.run_id if record else None) or "",
            lineage.spans,
            _verdict(lineage.verdict),
            "\n".join(_metric(task, values) for task, values in lineage.metrics.items()),
            _state(version),
        )
        table.add_row(*map(Text, cells), style=style)
    return table


def _lineage_record(version: Version) -> dict[str, Any] | None:
    if version.record is None or version.record.lineage is None:
        return None
    return {**dataclasses.asdict(version.record.lineage), "spans": version.record.lineage.spans}


def _moment(text: str) -> str:
    """``2026-11-27 04:12`` of an ISO 8601 text, in its own zone."""
    return text[:16].replace("T", " ")


def _verdict(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    words = "blessed" if verdict["blessed"] else "not blessed"
    return f"{words} over {verdict['against']}" if verdict.get("against") else words


def _metric(task: str, values: Mapping[str, Mapping[str, float | None]]) -> str:
    auc = values.get("auc", {}).get("value")
    cell = f"{task} {auc:.4f}" if auc is not None else f"{task} undefined"
    relaimp = values.get("relaimp", {})
    value, lower, upper = (relaimp.get(name) for name in ("value", "lower", "upper"))
    if value is not None:
        cell += f" {value:+.2f}"
    if value is not None and lower is not None and upper is not None:
        cell += f" [{lower:+.2f}, {upper:+.2f}]"
    return cell


def _state(version: Version) -> str:
    words = ["serves"] if version.serves else ["withdrawn"] if version.withdrawn else []
    if version.original != version.number:
        words.append(f"brings back {version.original}")
    return ", ".join(words)
