"""How a node went and where its artifacts lie, for whoever started its task on this machine.

Kubeflow Pipelines needs no such file: there ML-Metadata tells. A rehearsal asks each task for one.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtlx.pipeline.run.node_run import NodeOutcome

#: Environment variable with the file to write; without it none is written.
OUTCOME_FILE = "MTLX_OUTCOME_FILE"


def write_outcome(environment: Mapping[str, str], outcome: NodeOutcome) -> None:
    """Writes the file that the environment asks for, whole or not at all."""
    asked = environment.get(OUTCOME_FILE)
    if not asked:
        return
    path = Path(asked)
    temporary = path.with_name(f".{path.name}.new")
    content = {"state": outcome.state.value, "uris": outcome.outputs}
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, path)


def read_outcome(path: Path) -> tuple[str, dict[str, list[str]]] | None:
    """State and URIs by output name; None where the task wrote no file.

    Raises:
        ValueError: the file is no JSON.
    """
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    uris: Mapping[str, Sequence[str]] = content["uris"]
    return content["state"], {name: list(listed) for name, listed in uris.items()}
