"""What a page says of the run besides the node's own outcome."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PageContext:
    """The run and how long the node took.

    Attributes:
        run_id: of the pipeline run, the same in ML-Metadata and Kubeflow Pipelines.
        run_name: as a person named the run; may be empty.
        tasks: names of the learning tasks, in the data contract's order.
        seconds: wall time of the node.
        store: an open ML-Metadata store, from which the types of artifacts are read; None
            leaves them out.
        failures: why earlier attempts at the node failed, the earliest first.
    """

    run_id: str
    run_name: str
    tasks: tuple[str, ...]
    seconds: float
    store: Any = None
    failures: tuple[str, ...] = ()
