"""Records of trainings as tables and charts."""

import pytest

from mtlx.components.report.report_data import Training
from mtlx.components.report.sections.training_view import (
    charts,
    epoch_tables,
    gate_tables,
    time_rows,
)


def _epoch(number, loss, auc, **more):
    return {"epoch": number, "loss": loss, "validation_auc": auc, **more}


def _training(model, *epochs, best=1, **more):
    return Training(model, {"epochs": list(epochs), "best_epoch": best, **more})


NEW = _training(
    "candidate",
    _epoch(1, 0.9, {"click": 0.6, "buy": None}, selection=0.8, validation_loss={"click": 0.5}),
    _epoch(2, 0.7, {"click": 0.7, "buy": 0.55}, selection=0.7, validation_loss={"click": 0.4}),
    best=2,
    selection={"name": "normalised entropy"},
)


def test_every_epoch_is_a_row_with_the_kept_one_marked():
    (table,) = epoch_tables((NEW,))
    assert (table.model, table.selection) == ("candidate", "normalised entropy")
    assert table.tasks == ("click", "buy")
    assert [(row.epoch, row.kept, row.loss, row.selection) for row in table.rows] == [
        (1, False, 0.9, 0.8), (2, True, 0.7, 0.7),
    ]  # fmt: skip
    # AUC and log loss, of a task without one None.
    assert [row.values for row in table.rows] == [
        ((0.6, 0.5), (None, None)), ((0.7, 0.4), (0.55, None)),
    ]  # fmt: skip


def test_a_record_of_an_older_version_lacks_what_was_added_since():
    old = _training("reference", _epoch(1, 0.9, {"click": 0.6}))
    (table,) = epoch_tables((old,))
    assert table.selection is None and table.rows[0].selection is None
    assert table.rows[0].values == ((0.6, None),)
    assert gate_tables((old,)) == [] and time_rows(None, (old,)) == []


def test_a_task_that_appears_in_a_later_epoch_has_a_column_throughout():
    late = _training("candidate", _epoch(1, 1.0, {}), _epoch(2, 0.9, {"buy": 0.6}))
    (table,) = epoch_tables((late,))
    assert table.tasks == ("buy",)
    assert [row.values for row in table.rows] == [((None, None),), ((0.6, None),)]


def test_a_training_that_ended_before_its_first_epoch():
    none = _training("candidate", best=0)
    (table,) = epoch_tables((none,))
    assert (table.rows, table.tasks) == ((), ())
    assert charts((none,)) == []


def test_a_model_that_was_taken_over_as_it_is_has_a_row_and_no_curve():
    taken = _training("candidate", {**_epoch(0, 1.0, {"a": 0.9}), "loss": None})
    (table,) = epoch_tables((taken,))
    assert (table.rows[0].epoch, table.rows[0].loss) == (0, None)
    assert charts((taken,)) == []


def test_the_loss_comes_first_then_each_task_with_all_models():
    old = _training("reference", _epoch(1, 1.0, {"click": 0.5, "like": 0.5}))
    drawn = charts((NEW, old))
    assert [chart.title for chart in drawn] == [
        "Training loss", "Validation AUC, click", "Validation AUC, buy", "Validation AUC, like",
    ]  # fmt: skip
    assert [[line.model for line in chart.lines] for chart in drawn] == [
        ["candidate", "reference"], ["candidate", "reference"], ["candidate"], ["reference"],
    ]  # fmt: skip
    # The epoch without a value is left out, and not drawn as 0.
    (line,) = drawn[2].lines
    assert len(line.points) == 1 and line.best == line.points[0]


def test_each_chart_has_the_values_of_its_own_task():
    click, buy = charts((_training("candidate", _epoch(1, 1.0, {"a": 0.9, "b": 0.6})),))[1:]
    assert "candidate from 0.9 in epoch 1" in click.description
    assert "candidate from 0.6 in epoch 1" in buy.description


def test_gates_have_all_experts_of_all_tasks_and_the_largest_share_sets_the_bars():
    gates = {"click": {"shared": 0.7, "own": 0.3}, "buy": {"shared": 0.4, "other": 0.6}}
    added = {"click": {"shared": 0.9, "own": 0.1}}
    (table,) = gate_tables(
        (_training("candidate", gate_weights=gates, gate_contributions=added), NEW)
    )
    assert table.model == "candidate" and table.experts == ("shared", "own", "other")
    assert (table.weights, table.contributions, table.largest) == (gates, added, 0.9)


def test_gates_without_any_weight_do_not_divide_by_zero():
    (table,) = gate_tables((_training("candidate", gate_weights={"click": {"a": 0.0}}),))
    assert table.largest == 1.0
    assert gate_tables((_training("candidate", gate_weights={"click": {}}),)) == []


def test_seconds_are_by_stage_and_model_with_the_ingestion_first():
    new = _training("candidate", seconds={"input": 4.0, "step": 9.0})
    old = _training("reference", seconds={"step": 7.0, "something new": 1.0})
    assert time_rows({"seconds": 2.5}, (new, old)) == [
        ("Ingestion", {"candidate": 2.5}),
        ("Training: waiting for input", {"candidate": 4.0}),
        ("Training: steps on the device", {"candidate": 9.0, "reference": 7.0}),
        ("something new", {"reference": 1.0}),
    ]


@pytest.mark.parametrize("ingestion", [None, {}, {"seconds": None}])
def test_without_the_time_of_an_ingestion_there_is_no_row_of_it(ingestion):
    assert time_rows(ingestion, (_training("candidate", seconds={}),)) == []


def test_an_ingestion_in_no_time_is_a_row_and_without_a_training_there_is_none():
    assert time_rows({"seconds": 0.0}, (NEW,)) == [("Ingestion", {"candidate": 0.0})]
    assert time_rows({"seconds": 3.0}, ()) == []
