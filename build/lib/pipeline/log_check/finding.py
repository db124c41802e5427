"""What `mtlx check` found to be wrong, or doubtful."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        error: the run would stop; else it would go on, to no good end perhaps.
        text: what, where and what to do.
    """

    error: bool
    text: str
