"""How transformed examples say which labels count: without further columns."""

from collections.abc import Mapping
from typing import Literal

#: Why labels of a task do not count on the rows of a span: not yet known, or learnt before.
LeftOut = Literal["unknown", "learnt"]
UNKNOWN: LeftOut = "unknown"
LEARNT: LeftOut = "learnt"

#: Stands in a label's column where the label is not known.
UNKNOWN_LABEL = -1
#: Is added to labels that are known and do not count: other tasks' populations need them.
LEARNT_LABEL = 2

#: By span and task why its labels do not count there; what is not named counts.
LabelsLeftOut = Mapping[int, Mapping[str, LeftOut]]
