"""A sequence of several features through both analyses and the transform, against plain Python."""

import collections

import numpy as np
import pytest

from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.model_inputs import SequenceInput, SequencePart

PADDING, MISSING, FIRST, LENGTH = 0, 1, 3, 3
CONTRACT = {
    "features": {
        "item": {"kind": "categorical"},
        "genre": {"kind": "categorical"},
        "clicks": {
            "kind": "sequence", "of": ["item", "genre"], "columns": ["a", "b"], "max_length": LENGTH,
        },
        "buys": {"kind": "sequence", "of": "item", "max_length": LENGTH},
    },
    "tasks": {"click": {"label": "click"}},
    "target_item": "item",
}  # fmt: skip


def _rows(count=60):
    """As RowChecks writes them: with an empty text where a value is missing beside another."""
    random, rows = np.random.default_rng(1), []
    for _ in range(count):
        clicks = []
        for _ in range(random.integers(0, 6)):
            item, genre = f"i{random.integers(9)}", f"g{random.integers(4)}"
            lacks = random.random()
            clicks.append(("" if lacks < 0.2 else item, "" if lacks > 0.8 else genre))
        rows.append(
            {
                "item": [f"i{random.integers(9)}"],
                "genre": [f"g{random.integers(4)}"],
                "clicks": [item for item, _ in clicks],
                "clicks.genre": [genre for _, genre in clicks],
                "buys": [f"i{n}" for n in random.integers(0, 9, random.integers(0, 5))],
                "click": [int(random.integers(2))],
            }
        )
    return rows


def _ids(rows, *names):
    values = [value.encode() for row in rows for name in names for value in row[name] if value]
    counts = collections.Counter(values)
    order = sorted(counts, key=lambda value: (counts[value], value), reverse=True)
    return {"": MISSING, **{value.decode(): FIRST + n for n, value in enumerate(order)}}


@pytest.mark.parametrize("by", ["one_pass", "stock"])
def test_values_keep_their_behaviours(by, one_pass, transform):
    rows, contract = _rows(), DataContract.read(CONTRACT)
    made = {"stock": transform, "one_pass": one_pass}[by](contract, rows)
    ids = {"clicks": _ids(rows, "item", "clicks", "buys")}
    ids["clicks.genre"] = _ids(rows, "genre", "clicks.genre")
    for name, known in ids.items():
        expected = [[known[value] for value in row[name]][-LENGTH:] for row in rows]
        expected = [(row + [PADDING] * LENGTH)[:LENGTH] for row in expected]
        np.testing.assert_array_equal(made.columns[name], expected, err_msg=name)
        assert (made.columns[name] == MISSING).any() and (made.columns[name] == PADDING).any()
    np.testing.assert_array_equal(
        made.columns["clicks"] == PADDING, made.columns["clicks.genre"] == PADDING
    )
    inputs = build_model_inputs(contract, made.graph)
    assert inputs.sequences == (
        SequenceInput("clicks", "item", LENGTH, (SequencePart("clicks.genre", "genre"),)),
        SequenceInput("buys", "item", LENGTH),
    )
    assert inputs.sequences[0].keys == ("clicks", "clicks.genre")
    assert inputs.sequences[0].fields == ("item", "genre")
