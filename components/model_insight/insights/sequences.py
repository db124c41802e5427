"""How often the ranked item is among a user's behaviours, and what follows from it."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import PositiveInt

from mtlx.components.model_insight.figures import Cell, Figure, Note, Row, Table
from mtlx.components.model_insight.insights.attention import attention_figures
from mtlx.components.model_insight.insights.insight import Findings, Insight, NotThere

if TYPE_CHECKING:
    import pyarrow as pa

    from mtlx.components.model_insight.evaluated_rows import EvaluatedRows
    from mtlx.components.model_insight.insight_model import InsightModel
    from mtlx.transform.contract.model_inputs import SequenceInput


class Sequences(Insight):
    """Occurrences of the target in each behaviour sequence (DTRN, Table 1), and attention.

    The row's own item, and its own category where behaviours have one beside it, is looked for by
    its text among the most recent behaviours, as many as the model is given. The rate of each
    action is compared between rows in which it occurs and the others; ± is the standard error of a
    share, rows taken as independent. Of encoders that attend, the mean weight of each position,
    counted back from the most recent behaviour.

    Args:
        rows: it looks at so many at most.
    """

    title = "Behaviour sequences"

    def __init__(self, *, rows: PositiveInt = 60_000) -> None:
        self.rows = rows

    def find(
        self, model: "InsightModel", rows: "EvaluatedRows", progress: Callable[[str], None]
    ) -> Findings:
        """See Insight."""
        sequences = model.inputs.sequences
        if not sequences:
            raise NotThere("the experiment has no behaviour sequences")
        progress("targets among behaviours")
        counts = {
            f"{of} in {sequence.name}": occurrences(model, rows, sequence, key, of)
            for sequence in sequences
            for key, of in zip(sequence.keys, sequence.fields, strict=True)
        }
        values = {name: _values(times, model, rows) for name, times in counts.items()}
        progress("attention over positions")
        drawn, attention = attention_figures(model, rows)
        figures: list[Figure] = [
            Note(text=_ABOUT),
            _times_table(values, model.tasks),
            _rates_table(values, model.tasks),
            *drawn,
        ]
        found = {"occurrences": values, "attention": attention}
        return Findings(figures, found, _headline(values))


_ABOUT = (
    "How often the row's own item (or what else is known of it) stands among the behaviours that "
    "the model is given; and how often the action follows where it does, and where it does not, "
    "± the standard error."
)


def occurrences(
    model: "InsightModel",
    rows: "EvaluatedRows",
    sequence: "SequenceInput",
    key: str,
    of: str,
) -> np.ndarray:
    """How often each row's own value of a feature stands in a sequence, ``(N,)`` int64.

    Args:
        model: with the data contract.
        rows: the rows.
        sequence: the sequence.
        key: name of its values, its own or those beside it.
        of: the feature that they are values of.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from mtlx.components.example_batches import contract_columns, parsed_batch

    kinds = contract_columns(model.contract)
    columns = {name: kinds[name].name for name in (key, of)}
    batch = parsed_batch(list(rows.examples), columns)
    values, lengths = _flat(batch, key)
    own, own_lengths = _flat(batch, of)
    places = np.where(own_lengths == 1, np.cumsum(own_lengths) - 1, -1)
    own = own.take(pa.array(places, pa.int64(), mask=places < 0))
    markers = pa.array([text.encode() for text in model.contract.missing], own.type)
    is_missing = pc.is_in(own, value_set=markers)
    row = np.repeat(np.arange(len(rows)), lengths)
    # Counted back from the most recent, which is 0: the model is given so many.
    back = np.repeat(np.cumsum(lengths), lengths) - 1 - np.arange(len(row))
    same = pc.equal(values, own.take(pa.array(row))).fill_null(False)
    known = ~is_missing.to_numpy(zero_copy_only=False)[row]
    hits = same.to_numpy(zero_copy_only=False) & known & (back < sequence.max_length)
    return np.bincount(row[hits], minlength=len(rows))


def _flat(batch: "pa.RecordBatch", name: str) -> tuple["pa.Array", np.ndarray]:
    """All values of a list column, and how many each row has."""
    column = batch.column(batch.schema.get_field_index(name))
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return column.flatten(), lengths.astype(np.int64)


def _values(times: np.ndarray, model: "InsightModel", rows: "EvaluatedRows") -> dict[str, Any]:
    """Of one sequence: share of rows and mean number; by task the mean number with the action,
    and its rate then and otherwise."""
    occurs, tasks = times > 0, {}
    for place, task in enumerate(model.tasks):
        counts, positive = rows.counts[:, place], rows.labels[:, place] > 0
        acted = counts & positive
        tasks[task] = {
            "times_with_action": float(times[acted].mean()) if acted.any() else None,
            "then": _rate(positive[counts & occurs]),
            "otherwise": _rate(positive[counts & ~occurs]),
        }
    return {
        "rows": len(times),
        "share": float(occurs.mean()),
        "times": float(times.mean()),
        "tasks": tasks,
    }


def _rate(labels: np.ndarray) -> dict[str, Any]:
    """Rows, share of positives and its standard error."""
    if not len(labels):
        return {"rows": 0, "rate": None, "error": None}
    rate = float(labels.mean())
    return {"rows": len(labels), "rate": rate, "error": (rate * (1 - rate) / len(labels)) ** 0.5}


def _times_table(values: Mapping[str, Any], tasks: list[str]) -> Table:
    largest = max([one for found in values.values() for one in _times(found)] + [0.0]) or 1.0
    rows = []
    for name, found in values.items():
        cells = [Cell(value=found["share"], digits=1, percent=True)]
        cells.append(Cell(value=found["times"], digits=3, bar=found["times"] / largest))
        for task in tasks:
            mean = found["tasks"][task]["times_with_action"]
            bar = None if mean is None else mean / largest
            cells.append(Cell(value=mean, digits=3, bar=bar))
        rows.append(Row(head=name, cells=cells))
    columns = ["", "rows with any", "all rows", *(f"with {task}" for task in tasks)]
    title = "How many times the target occurs, in the mean over rows"
    return Table(title=title, columns=columns, rows=rows)


def _times(found: Mapping[str, Any]) -> Iterator[float]:
    yield found["times"]
    for task in found["tasks"].values():
        yield task["times_with_action"] or 0.0


def _rates_table(values: Mapping[str, Any], tasks: list[str]) -> Table:
    columns = [""]
    for task in tasks:
        columns += [f"{task}: occurs", "does not"]
    rows = []
    for name, found in values.items():
        cells = []
        for task in tasks:
            for case in ("then", "otherwise"):
                rate = found["tasks"][task][case]
                cells.append(Cell(value=rate["rate"], error=rate["error"], digits=1, percent=True))
        rows.append(Row(head=name, cells=cells))
    return Table(title="Rate of the action where the target occurs", columns=columns, rows=rows)


def _headline(values: Mapping[str, Any]) -> str:
    """The sequence in which the target occurs most often."""
    name = max(values, key=lambda key: values[key]["share"])
    return f"{name}: {values[name]['share']:.1%} of rows".replace("%", " %")
