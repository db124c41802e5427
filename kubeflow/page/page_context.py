"""What a node's page needs besides the node's outcome."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PageContext:
    """The run that a node belongs to.

    Attributes:
        run_id: of the run.
        run_name: what people call it; may be empty.
        tasks: the learning tasks.
        seconds: wall time of the node.
        store: ML-Metadata's store, or None.
    """

    run_id: str
    run_name: str
    tasks: tuple[str, ...]
    seconds: float
    store: object | None = None
