"""What the launchers of Kubeflow Pipelines take of a task's outputs.

Two have to: the one that records in ML-Metadata (up to release 2.18), and its successor, which
records with the API server and is stricter. The executor output itself is parsed strictly before.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: What the successor does without a file of is not taken: the page could not show it.
_SHOWN = ("system.HTML", "system.Markdown")
_METRICS = "system.Metrics"
#: A name's column in the successor's database, in characters; in ML-Metadata's, in bytes.
LONGEST_NAME, LONGEST_PROPERTY = 128, 255


def output_problems(given: Mapping[str, Any], output: Mapping[str, Any]) -> Iterator[str]:
    """What one of the launchers would refuse.

    Args:
        given: the executor input.
        output: the executor output, as parsed.
    """
    for name, listed in given["outputs"]["artifacts"].items():
        (artifact,) = listed["artifacts"]
        title = artifact["type"].get("schemaTitle", "")
        if title in _SHOWN and not Path(artifact["customPath"]).is_file():
            yield f"output artifact {name!r}: the task left no file {artifact['customPath']}"
        written = (output.get("artifacts") or {}).get(name) or {}
        for one in written.get("artifacts", []):
            yield from _metadata_problems(name, title, one.get("metadata") or {})


def _metadata_problems(name: str, title: str, metadata: Mapping[str, Any]) -> Iterator[str]:
    for key, value in metadata.items():
        place = f"output artifact {name!r}, metadata {key[:40]!r}"
        if value is None:
            yield f"{place}: is null, which ML-Metadata has no form of"
        if len(key.encode()) > LONGEST_PROPERTY:
            yield f"{place}: its name has {len(key.encode())} bytes, more than {LONGEST_PROPERTY}"
        if title != _METRICS:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{place}: a metric is a number. Received: {json.dumps(value)[:80]}"
        if len(key) > LONGEST_NAME:
            yield f"{place}: its name has {len(key)} characters, more than {LONGEST_NAME}"
