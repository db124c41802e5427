"""What a warm-started day costs whatever its rows, and from how many rows on it is a fifth.

    python -m benchmarks.day_floor var/replays/daily

Reads the records of a replay with `--compare from_scratch,warm_start`, and fits by least squares,
node by node, the seconds of a warm day as a fixed part and a part that grows with rows: with those
of the day that it tests on, or, of nodes that train, of the day before. A day from scratch is taken
to have the same fixed part. Runs of the first day, which both ways train from random weights, are
left out.
"""

import argparse
import json
from pathlib import Path

import numpy as np

#: Nodes that read the day which trains; the others read the one that tests.
_TRAIN = ("Transform", "Trainer")
_NODES = (
    "LogExampleGen", "StatisticsGen", "DriftGuard", "Transform", "Trainer", "SliceEvaluation",
    "ServingCheck",
)  # fmt: skip
_OTHERS = "the others"
_UNIT = 100_000


def main() -> None:
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("replay", type=Path, help="folder of the replay")
    folder = parser.parse_args().replay
    warm, full = (_records(folder / way) for way in ("warm_start", "from_scratch"))
    rows = np.array([_rows(record) for record in warm]) / _UNIT
    print("| node | warm day, s | whatever the rows | per 100,000 rows |\n|---|---|---|---|")
    fixed = growing = 0.0
    for node in (*_NODES, _OTHERS):
        seconds = np.array([_seconds(record, node) for record in warm[1:]])
        (start, slope), (error, slope_error) = _fit(
            rows[:-1] if node in _TRAIN else rows[1:], seconds
        )
        fixed, growing = fixed + start, growing + slope
        print(
            f"| {node} | {seconds.mean():.1f} | {start:.1f} ± {error:.1f} "
            f"| {slope:.1f} ± {slope_error:.1f} |"
        )
    total, scratch = (
        np.mean([_seconds(record, None) for record in some[1:]]) for some in (warm, full)
    )
    print(f"| all nodes | {total:.1f} | {fixed:.1f} | {growing:.1f} |")
    each = (scratch - fixed) / rows[1:].mean()
    print(
        f"\nFrom scratch: {scratch:.1f} s, per 100,000 rows a day {each:.1f} beyond the fixed part"
    )
    print(f"Limit of warm / from scratch with ever more rows: {growing / each:.2f}")
    if each > 5 * growing:
        print(f"A fifth from {0.8 * fixed / (each / 5 - growing) * _UNIT:,.0f} rows a day on")


def _records(folder: Path) -> list[dict]:
    """Records of the runs that ended, the oldest first."""
    files = (
        file for file in sorted(folder.glob("**/runs/*/run.json")) if "latest" not in file.parts
    )
    records = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    return [record for record in records if record["outcome"] in ("blessed", "not blessed")]


def _seconds(record: dict, node: str | None) -> float:
    """Of a node, of all that are not named, or, with None, of all."""

    def counts(name: str) -> bool:
        return node in (None, name) or (node == _OTHERS and name not in _NODES)

    return sum(one["seconds"] for one in record["nodes"] if counts(one["node_id"]))


def _rows(record: dict) -> int:
    """Rows of the day that a run tests on."""
    (node,) = (one for one in record["nodes"] if one["node_id"] == "LogExampleGen")
    summary = Path(node["outputs"]["examples"][0]) / "ingestion/summary.json"
    return sum(json.loads(summary.read_text(encoding="utf-8"))["rows"].values())


def _fit(rows: np.ndarray, seconds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fixed part and slope, and their standard errors."""
    design = np.stack([np.ones_like(rows), rows], axis=1)
    found, *_ = np.linalg.lstsq(design, seconds, rcond=None)
    variance = np.sum((seconds - design @ found) ** 2) / (len(rows) - 2)
    return found, np.sqrt(variance * np.diag(np.linalg.inv(design.T @ design)))


if __name__ == "__main__":
    main()
