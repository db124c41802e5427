"""Weights, labels told by conditions, numbers, and filters: what becomes of rows, by value."""

import numpy as np
import pyarrow as pa
import pytest

from mtlx.components.log_example_gen.readers.reader import Rows
from mtlx.components.log_example_gen.rejection import REMEDIES, InputRefused
from mtlx.components.log_example_gen.row_checks import RowChecks
from mtlx.components.log_example_gen.settings import DataSettings
from mtlx.transform.contract.data_contract import DataContract
from mtlx.transform.contract.rows.condition import Condition

CLICK = {"click": {"label": "click"}}


def _contract(tasks=CLICK, **sections):
    features = {"item": {"kind": "categorical"}}
    return DataContract.read({"features": features, "tasks": tasks, **sections})


def _check(contract, where=(), missing_label="refuse", **columns):
    count = len(next(iter(columns.values())))
    table = pa.table({"item": ["a"] * count, "click": ["0"] * count, **columns})
    checks = RowChecks(contract, missing_label, where=[Condition(**one) for one in where])
    assert set(checks.columns()) <= set(table.column_names)
    return checks.check(Rows(table, np.arange(2, count + 2)), "f")


def _values(checked, name):
    index = checked.examples.schema.get_field_index(name)
    return [row[0] for row in checked.examples.column(index).to_pylist()]


@pytest.mark.parametrize(
    "column",
    [
        ["1.5", "-2", "", "inf", "NaN", "text", "0", "9"],
        [1.5, -2.0, None, np.inf, np.nan, -np.inf, 0.0, 9.0],
    ],
    ids=["texts", "numbers"],
)
def test_what_is_no_weight_is_malformed_and_counted_by_its_reason(column):
    checked = _check(_contract(weight={"column": "w", "clip": 4}), w=column)
    assert _values(checked, "weight/row") == [1.5, 0.0, 4.0]
    reasons = {row.line: row.reason for row in checked.rejected}
    assert reasons[3] == "negative weight" and reasons[4] == "missing weight"
    assert set(reasons) == {3, 4, 5, 6, 7} and len(checked.rejected) == 5
    assert "negative weight" in REMEDIES


def test_a_task_has_a_weight_of_its_own_beside_the_rows():
    contract = _contract(
        {"click": {"label": "click", "weight": "of_click"}}, weight={"column": "w"}
    )
    checked = _check(contract, w=[2, 3], of_click=[0.5, 1.0])
    assert _values(checked, "weight/row") == [2.0, 3.0]
    assert _values(checked, "weight/task/click") == [0.5, 1.0]
    served = RowChecks(contract, labels=False)
    assert served.columns() == ["item"], "a row that is only scored has no weight"


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ({"at_least": 30}, [0, 1, 1]),
        ({"above": 30}, [0, 0, 1]),
        ({"at_most": 30}, [1, 1, 0]),
        ({"below": 30}, [1, 0, 0]),
        ({"one_of": [30, "31"]}, [0, 1, 1]),
    ],
    ids=lambda value: str(value),
)
@pytest.mark.parametrize("kind", [int, str])
def test_a_label_is_told_by_a_condition(test, holds, kind):
    contract = _contract({"long": {"label": {"column": "watch", **test}}})
    (key,) = [task.label_key for task in contract.tasks.values()]
    checked = _check(contract, watch=[kind(29), kind(30), kind(31)])
    assert _values(checked, key) == holds


def test_one_column_tells_several_labels_and_a_number():
    contract = _contract(
        {
            "short": {"label": {"column": "watch", "at_least": 3}},
            "long": {"label": {"column": "watch", "at_least": 30}, "after": "short"},
            "watch": {"label": "watch", "kind": "regression"},
        }
    )
    checked = _check(contract, watch=["2.5", "3", "99"])
    assert _values(checked, "watch >= 3") == [0, 1, 1]
    assert _values(checked, "watch >= 30") == [0, 0, 1]
    assert _values(checked, "watch") == [2.5, 3.0, 99.0]


def test_a_threshold_on_text_is_refused_by_name():
    contract = _contract({"long": {"label": {"column": "watch", "at_least": 30}}})
    with pytest.raises(
        InputRefused, match="f:3: column 'watch': tasks.long.label compares it with 30.*'x'"
    ):
        _check(contract, watch=["40", "x"])
    with pytest.raises(
        InputRefused, match="column 'watch': data.where compares it with 1, and .*one_of"
    ):
        _check(_contract(), where=[{"column": "watch", "above": 1}], watch=["40", "x"])
    with pytest.raises(InputRefused, match="tasks.watch is a regression, and this is no number"):
        _check(_contract({"watch": {"label": "watch", "kind": "regression"}}), watch=["4", "x"])


def test_a_missing_value_is_a_missing_label():
    contract = _contract({"long": {"label": {"column": "watch", "at_least": 30}}})
    with pytest.raises(InputRefused, match="here is none; set data.missing_label: quarantine"):
        _check(contract, watch=[1, None])
    checked = _check(contract, missing_label="quarantine", watch=[1, None])
    assert [row.reason for row in checked.rejected] == ["missing label"]


def test_what_has_no_logarithm_is_malformed():
    tasks = {"watch": {"label": "watch", "kind": "regression", "loss": "log_normal"}}
    checked = _check(_contract(tasks), watch=[1.0, 0.0, -1.0])
    assert _values(checked, "watch") == [1.0]
    assert [row.reason[:11] for row in checked.rejected] == ["not above 0"] * 2


def test_a_number_is_asked_for_on_the_rows_of_its_population_alone():
    tasks = {
        **CLICK,
        "watch": {
            **{"label": "watch", "kind": "regression", "loss": "log_normal"},
            "population": "click",
        },
    }
    columns = {"watch": [5.0, 0.0, None, 0.0], "click": ["1", "0", "0", "1"]}
    checked = _check(_contract(tasks), **columns)
    assert [row.line for row in checked.rejected] == [5]
    np.testing.assert_array_equal(_values(checked, "watch"), [5.0, np.nan, np.nan])


def test_rows_that_do_not_meet_a_condition_are_filtered_before_they_are_judged():
    where = [{"column": "country", "one_of": ["de", "at"]}, {"column": "age", "at_least": 18}]
    checked = _check(
        _contract(weight={"column": "w"}),
        where=where,
        country=["de", "fr", None, "at", "at"],
        age=[20, 20, 20, None, 18],
        w=[1, -1, 1, 1, -1],
        click=["1", "x", "0", "0", "0"],
    )
    assert checked.filtered == 3
    assert [row.line for row in checked.rejected] == [6]
    assert checked.kept.tolist() == [True, False, False, False, False]


def test_what_is_no_text_is_malformed_where_a_condition_reads_it():
    """Neither filtered, as if it were another country, nor a label that refuses the log."""
    country = pa.array([b"de", b"\xff", b"fr", b"\xff"])
    where = [{"column": "country", "one_of": ["de"]}, {"column": "age", "at_least": 18}]
    checked = _check(_contract(), where, country=country, age=[20, 20, 20, 3])
    assert [row.reason for row in checked.rejected] == ["not UTF-8"] * 2
    assert (checked.examples.num_rows, checked.filtered) == (1, 1)
    tasks = {"local": {"label": {"column": "country", "one_of": ["de"]}}}
    checked = _check(_contract(tasks), country=country)
    assert [row.line for row in checked.rejected] == [3, 5]
    assert _values(checked, "country in de") == [1, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"column": "a"}, "takes exactly one of at_least, above, at_most, below, one_of.*none"),
        ({"column": "a", "above": 1, "below": 3}, "exactly one of.*Received: above, below"),
        ({"column": "a", "above": True}, "should be a number. Received: True"),
        ({"column": "a", "at_last": 1}, "unknown setting 'at_last', did you mean 'at_least'"),
    ],
)
def test_a_wrong_condition_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Condition.read(values)


def test_what_is_not_used_is_not_written():
    data = DataSettings.read({"path": "x", "split": {"by": "row"}})
    assert not {"where", "weight"} & data.model_dump().keys()
    contract = _contract()
    assert not {"sampling", "weight"} & contract.model_dump().keys()
    assert contract.model_dump()["tasks"] == {
        "click": {
            "label": "click",
            "after": None,
            "population": None,
            "allow_without_parent": False,
        }
    }
    full = _contract(
        {"long": {"label": {"column": "w", "above": 1}, "weight": {"column": "v", "clip": 2}}},
        weight={"column": "w", "half_life_spans": 3},
        sampling={"task": "long", "negatives": 0.5},
    )
    assert DataContract.from_json(full.to_json()) == full
    assert full.of_examples.sampling is None and full.of_examples.weight.half_life_spans is None
