"""Warm-started and trained for zero steps, a model predicts what its base model predicts.

Through the Trainer's function and the exported model, on raw rows.
"""

import numpy as np
import pytest

from tests.trainer.conftest import encode
from tests.trainer.warm_start.conftest import ITEMS, served

#: Another order, without two of the values, and with three that the base model has not seen.
TODAY = ["new_1", *ITEMS[7:], "new_2", "new_3", *ITEMS[2:7]]
GONE = set(ITEMS) - set(TODAY)


@pytest.fixture(scope="module")
def started(trained, another_day, begin, tmp_path_factory):
    day = another_day(tmp_path_factory.mktemp("day") / "second", TODAY)
    return begin(day, trained.model, epochs=0)


def _examples(rows, change=lambda item: item):
    """Examples of rows, the items that are seen and clicked changed."""
    return [
        encode(
            {
                **row,
                "item": [change(item) for item in row["item"]],
                "clicks": [change(item) for item in row["clicks"]],
            }
        )
        for row in rows
    ]


def test_every_row_has_the_base_model_s_probabilities(trained, started, logs):
    """A value that is gone is to today's model what an unknown one is to the base model."""
    rows = logs.rows["test"] + logs.rows["validation"]
    ours = served(started.model, _examples(rows))
    unknown = _examples(rows, lambda item: "never seen" if item in GONE else item)
    theirs = served(trained.model, unknown)
    as_it_was = served(trained.model, _examples(rows))
    known = np.array([not GONE & {*row["item"], *row["clicks"]} for row in rows])
    assert 50 < known.sum() < len(rows) - 50
    for task, values in theirs.items():
        assert np.std(values) > 0.01
        np.testing.assert_allclose(ours[task], values, atol=1e-6, rtol=0)
        np.testing.assert_allclose(ours[task][known], as_it_was[task][known], atol=1e-6, rtol=0)


def test_the_history_says_what_was_taken_over(trained, started):
    notes = started.history["notes"]
    assert notes[0].startswith(f"Warm start from {trained.model}: ")
    assert "Values of item: 10 taken over, 3 new, 2 dropped out." in notes
    assert "Values of scenario: 2 taken over, 0 new, 0 dropped out." in notes
    assert started.history["kept"].startswith("No step was taken")


def test_it_can_be_begun_with_again(started):
    """What it was made from is in the exported model as in its base model's."""
    from mtlx.trainer.warm_start.base_model import BaseModel

    base = BaseModel(str(started.model))
    assert [value.decode() for value in base.vocabulary("item")] == TODAY
    assert base.numbers()["price"]["deviation"] > 0.5
    assert set(base.weights()) == set(base.record.weights)
