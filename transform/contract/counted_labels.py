"""Which labels count: those that are known, and how transformed examples mark the others."""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from mtlx.transform.contract.data_contract import ContractSections

#: Why labels of a task do not count on the rows of a span: not yet known, or learnt before.
LeftOut: TypeAlias = str
UNKNOWN: LeftOut = "unknown"
LEARNT: LeftOut = "learnt"

#: Stands in a label's column where the label is not known.
UNKNOWN_LABEL = -1
#: Is added to labels that are known and do not count: other tasks' populations need them.
LEARNT_LABEL = 2

#: By span and task why its labels do not count there; what is not named counts.
LabelsLeftOut = Mapping[int, Mapping[str, LeftOut]]


def unknown_labels(
    contract: ContractSections, spans: Iterable[int], newest: int
) -> dict[int, dict[str, LeftOut]]:
    """The labels of spans that are not known when a span is the newest.

    Args:
        contract: whose tasks say after how many spans their labels are.
        spans: by number.
        newest: number of the run's newest span.

    Returns:
        The spans that have such, in order.
    """
    found = {
        span: {
            task: UNKNOWN for task, after in contract.matures_after.items() if newest - span < after
        }
        for span in sorted(set(spans))
    }
    return {span: tasks for span, tasks in found.items() if tasks}
