"""Of a task whose labels are numbers: what its RMSE gains, in its unit."""

import types

import numpy as np
import pytest

from mtlx.components.model_insight.evaluated_rows import EvaluatedRows
from mtlx.components.model_insight.insights.importance import Importance
from mtlx.components.model_insight.insights.insight import SEED

ROWS, REPEATS = 4000, 4
#: Seconds that are watched, by feature: `most` is worth ten times `some`, `none` is read in vain.
SECONDS = {"some": 6.0, "most": 60.0, "none": 0.0}


@pytest.fixture(scope="module")
def planted():
    random = np.random.default_rng(3)
    features = {name: random.normal(size=ROWS) for name in SECONDS}
    watched = _watched(features) + 10 * random.normal(size=ROWS)
    click = random.random(ROWS) < 1 / (1 + np.exp(-features["some"]))
    labels = np.stack([click, watched], axis=1).astype(np.float32)
    # Half of the rows count three times for `watch`.
    weights = np.stack([np.ones(ROWS), np.where(features["some"] > 0, 3.0, 1.0)], axis=1)
    rows = EvaluatedRows(
        np.zeros(ROWS), features, labels, np.ones((ROWS, 2), bool), np.zeros(ROWS, np.int64),
        ROWS, weights.astype(np.float32),
    )  # fmt: skip
    model = types.SimpleNamespace(
        tasks=["click", "watch"], regressions=frozenset(["watch"]), domains=("all",),
        columns={name: [name] for name in SECONDS},
        probabilities=lambda x: np.stack(
            [1 / (1 + np.exp(-x["some"] - 1e-9 * x["none"])), _watched(x)], axis=1
        ),
    )  # fmt: skip
    return rows, Importance(rows=ROWS, repeats=REPEATS).find(model, rows, lambda _: None)


def _watched(features):
    return 100 + sum(seconds * features[name] for name, seconds in SECONDS.items())


def test_it_is_what_the_weighted_rmse_gains(planted):
    rows, findings = planted
    found = findings.values["tasks"]["watch"]["overall"]
    weights = rows.weights[:, 1].astype(np.float64)

    def rmse(features):
        return np.sqrt(np.average((_watched(features) - rows.labels[:, 1]) ** 2, weights=weights))

    base = rmse(rows.features)
    assert found["rmse"] == pytest.approx(base) and "auc" not in found
    assert 9.5 < base < 10.5
    random = np.random.default_rng(SEED)
    for name in SECONDS:
        gains = [
            rmse({**rows.features, name: rows.features[name][random.permutation(ROWS)]}) - base
            for _ in range(REPEATS)
        ]
        assert found["importance"][name] == pytest.approx(np.mean(gains), abs=1e-9)
        error = np.std(gains, ddof=1) / np.sqrt(REPEATS)
        assert found["error"][name] == pytest.approx(error, abs=1e-9)
    # Shuffled, a feature is off by a normal number of variance 2.
    assert found["importance"]["most"] == pytest.approx(np.hypot(10, 60 * 2**0.5) - 10, rel=0.05)
    assert found["importance"]["most"] > 20 * found["importance"]["some"] > 0


def test_the_report_says_which_way_and_in_which_unit(planted):
    _, findings = planted
    assert findings.headline.startswith("Most important: some for click (0.")
    assert "of AUC), most for watch (7" in findings.headline and "of RMSE)" in findings.headline
    note, table = findings.figures[:2]
    assert "or the RMSE of a task whose labels are numbers gains, when the values" in note.text
    assert "in the unit of its labels, on 4,000 rows" in note.text
    assert table.columns == ["Feature", "click, AUC", "watch, RMSE"]
    by_name = {row.head: row.cells for row in table.rows}
    assert (by_name["most"][1].bar, by_name["most"][1].digits) == (1.0, 2)
    assert by_name["some"][0].digits == 4
    (plot,) = [figure for figure in findings.figures if figure.kind == "plot"]
    assert plot.y_title == "importance for watch (RMSE)"


def test_numbers_that_are_all_the_same_have_no_importance(planted):
    rows, _ = planted
    same = EvaluatedRows(
        rows.examples, rows.features, np.column_stack([rows.labels[:, 0], np.full(ROWS, 7.0)]),
        rows.counts, rows.domains, ROWS,
    )  # fmt: skip
    model = types.SimpleNamespace(
        tasks=["click", "watch"], regressions=frozenset(["watch"]), domains=("all",),
        columns={"some": ["some"]},
        probabilities=lambda x: np.stack([x["some"], x["some"]], axis=1),
    )  # fmt: skip
    found = Importance(rows=ROWS, repeats=2).find(model, same, lambda _: None)
    assert list(found.values["tasks"]) == ["click"]
    assert "Without two different labels among these rows: watch." in [
        figure.text for figure in found.figures if figure.kind == "note"
    ]
