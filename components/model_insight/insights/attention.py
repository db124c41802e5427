"""How much the target item attends to each position of a behaviour sequence."""

from typing import TYPE_CHECKING, Any

import numpy as np

from mtlx.components.model_insight.figures import Figure, Heading, Note, Plot, Series

if TYPE_CHECKING:
    from mtlx.components.model_insight.evaluated_rows import EvaluatedRows
    from mtlx.components.model_insight.insight_model import InsightModel

_ATTENTION = "attention"
#: Rows that it takes for means; a sequence's weights are many numbers per row.
_ROWS = 8_192
#: Positions of which fewer rows have a behaviour are left out: their means are chance.
_FEWEST = 20
_PADDING_ID = 0


def attention_figures(
    model: "InsightModel", rows: "EvaluatedRows"
) -> tuple[list[Figure], dict[str, Any]]:
    """The mean weight by position, most recent first; a sentence where there are no weights.

    Returns:
        Figures, and by task (or ``all tasks``) and sequence the mean weights by position.
    """
    rows = rows.first(_ROWS)
    encoders = [part.encoder for part in model.parts]
    names = list(encoders[0].sequence_names) if encoders else []
    told = model.told(rows.features, (_ATTENTION,)) if names else {}
    if _ATTENTION not in told:
        encoder = model.settings.sequence_encoder
        text = f"Sequence encoder {encoder!r} does not attend: there are no weights of positions."
        return [Note(text=text)], {}
    found = _means(model, rows, names, told[_ATTENTION])
    note = (
        "Weights as the encoder has them, in the mean over the rows that have a behaviour there "
        "and over attention heads; position 1 is the most recent behaviour."
    )
    figures: list[Figure] = [Heading(text="Attention over positions"), Note(text=note)]
    figures += [_plot(task, of_sequence) for task, of_sequence in found.items()]
    return figures, found


def _means(
    model: "InsightModel", rows: "EvaluatedRows", names: list[str], weights: np.ndarray
) -> dict[str, dict[str, list[float]]]:
    """Mean weights by task, sequence and position; one task where all tasks share them."""
    lengths = {sequence.name: sequence.max_length for sequence in model.inputs.sequences}
    if weights.shape[1] == 1 < len(names):
        # All behaviours in one sequence, one after the other.
        ends = np.cumsum([lengths[name] for name in names])
        parts = np.split(weights[:, 0], ends[:-1], axis=1)
        of_pair = {("all tasks", name): part for name, part in zip(names, parts, strict=True)}
    elif weights.shape[1] == len(names):
        of_pair = {("all tasks", name): weights[:, n] for n, name in enumerate(names)}
    else:
        pairs = [(task, name) for task in model.tasks for name in names]
        of_pair = {pair: weights[:, n] for n, pair in enumerate(pairs)}
    found: dict[str, dict[str, list[float]]] = {}
    for (task, name), part in of_pair.items():
        real = rows.features[name] != _PADDING_ID
        found.setdefault(task, {})[name] = _by_position(part[:, : real.shape[1]], real)
    return found


def _by_position(weights: np.ndarray, real: np.ndarray) -> list[float]:
    """Means by position counted back, of ``(N, L)`` weights of which some are real."""
    back = real.sum(axis=1, keepdims=True) - np.arange(real.shape[1])  # 1 is the most recent
    count = np.bincount(back[real], minlength=real.shape[1] + 1)[1:]
    total = np.bincount(back[real], weights=weights[real], minlength=real.shape[1] + 1)[1:]
    kept = count >= min(_FEWEST, len(weights))
    kept = np.logical_and.accumulate(kept)
    return [float(value) for value in total[kept] / count[kept]]


def _plot(task: str, of_sequence: dict[str, list[float]]) -> Plot:
    series = [
        Series(name=name, points=[(float(n), value) for n, value in enumerate(means, 1)])
        for name, means in of_sequence.items()
        if means
    ]
    words = "; ".join(
        f"{one.name} from {one.points[0][1]:.3f} at the most recent to {one.points[-1][1]:.3f}"
        for one in series
    )
    return Plot(
        title=f"Attention, {task}",
        description=f"Mean attention by position, {task}: {words}",
        series=series,
        x_title="behaviours back",
        y_title="weight",
        lines=True,
    )
