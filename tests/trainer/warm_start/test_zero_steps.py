"""Warm-started and trained for zero steps, a model predicts what its base model predicts."""

import numpy as np
import pytest

from tests.trainer.conftest import encode
from tests.trainer.warm_start.conftest import ITEMS, served


@pytest.fixture(scope="module")
def rows(logs):
    return logs.rows["test"] + logs.rows["validation"]


def _same(ours, theirs, atol=1e-6):
    for task, values in theirs.items():
        np.testing.assert_allclose(ours[task], values, atol=atol, rtol=0, err_msg=task)


def _with_values(rows, change):
    """Examples of rows whose items, clicked ones included, are changed."""
    return [
        encode({**row, "item": change(row["item"]), "clicks": change(row["clicks"])})
        for row in rows
    ]


def test_another_order_of_the_vocabularies(trained, another_day, begin, rows, tmp_path):
    day = another_day(tmp_path / "day", [*ITEMS[5:], *ITEMS[:5]])
    run = begin(day, trained.model, epochs=0)
    examples = [encode(row) for row in rows]
    _same(served(run.model, examples), served(trained.model, examples))
