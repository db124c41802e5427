"""RelaImp as a heat map: which colour a task and slice get."""

from dataclasses import dataclass

from mtlx.components.slice_evaluation.results import Comparison, SliceMetrics, SliceResults
from mtlx.components.slice_evaluation.slices import SliceKey
from mtlx.components.slice_evaluation.statistics.slice_metrics import CANDIDATE


@dataclass(frozen=True)
class HeatCell:
    """One task and slice.

    Attributes:
        state: ``gain`` or ``loss`` where the interval excludes 0; ``unclear`` where it holds 0
            or is unknown; ``undefined`` without a value; ``absent`` without rows.
        comparison: the numbers, or None.
        metric: of the candidate, or None.
        size: of the change against the map's largest one, 0 to 1.
    """

    state: str
    comparison: Comparison | None
    metric: SliceMetrics | None
    size: float


@dataclass(frozen=True)
class HeatMap:
    """All cells against one baseline.

    Attributes:
        baseline: ``baseline`` or ``reference``.
        scale: percent that gets the full colour.
        cells: by task and slice.
    """

    baseline: str
    scale: float
    cells: dict[tuple[str, SliceKey], HeatCell]


def heat_map(results: SliceResults, baseline: str) -> HeatMap:
    """Colours the comparisons with one baseline; the clear ones set the scale."""
    compared = {(c.task, c.key): c for c in results.comparisons if c.baseline == baseline}
    metrics = {(m.task, m.key): m for m in results.metrics if m.model == CANDIDATE}
    states = {key: _state(comparison) for key, comparison in compared.items()}
    sizes = {
        key: abs(comparison.relaimp)
        for key, comparison in compared.items()
        if states[key] in _CLEAR and comparison.relaimp is not None
    }
    scale = max(sizes.values(), default=1.0) or 1.0
    cells = {}
    for task in results.tasks:
        for key in results.slices:
            place = (task, key)
            comparison, metric = compared.get(place), metrics.get(place)
            state = states.get(place, "undefined") if metric and metric.examples else "absent"
            size = sizes.get(place, 0.0) / scale if state in _CLEAR else 0.0
            cells[place] = HeatCell(state, comparison, metric, min(size, 1.0))
    return HeatMap(baseline, scale, cells)


_CLEAR = ("gain", "loss")


def _state(comparison: Comparison) -> str:
    lower, upper = comparison.relaimp_lower, comparison.relaimp_upper
    if comparison.relaimp is None:
        return "undefined"
    if lower is not None and lower > 0:
        return "gain"
    if upper is not None and upper < 0:
        return "loss"
    return "unclear"
