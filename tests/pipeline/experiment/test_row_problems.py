"""What an experiment says of rows, labels and weights that can't be: refused before any work."""

import pytest

from mtlx.pipeline.experiment.checked_experiment import check_options
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError
from mtlx.transform.config.settings import SettingsError

WATCH = {"watch": {"label": "watch", "kind": "regression"}}


def _read(tasks=None, **sections):
    values = {
        "name": "rows",
        "data": {"path": "x/*.csv", "split": {"by": "row"}, **sections.pop("data", {})},
        "features": {"item": {"kind": "categorical"}},
        "tasks": {"click": {"label": "click"}, **(tasks or {})},
        "model": {"network": "shared_bottom"},
        "gate": {"thresholds": [{"rule": "auc", "task": "click", "minimum": 0.5}]},
        **sections,
    }
    return Experiment.read(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"sampling": {"task": "click", "negatives": 0}},
            "sampling.negatives: should be a share above 0",
        ),
        ({"sampling": {"task": "click", "negatives": float("nan")}}, "a share above 0"),
        (
            {"sampling": {"task": "clik", "negatives": 0.1}},
            "sampling.task names no task: 'clik', did you mean 'click'",
        ),
        (
            {"sampling": {"task": "click", "negatives": 0.1, "correction": "odds"}},
            "sampling.correction",
        ),
        (
            {"tasks": WATCH, "sampling": {"task": "watch", "negatives": 0.1}},
            "regression, which has no negatives",
        ),
        (
            {"data": {"weight": {"half_life_spans": 3}}},
            "half_life_spans is counted in spans of data.window",
        ),
        ({"data": {"weight": {"clip": 3}}}, "names neither a column nor half_life_spans"),
        (
            {"tasks": {"click": {"label": "click", "loss": "squared"}}},
            "tasks.click.loss is of a regression",
        ),
        ({"tasks": {"watch": {**WATCH["watch"], "after": "click"}}}, "set population: click"),
        (
            {"tasks": {**WATCH, "buy": {"label": "buy", "population": "watch"}}},
            "names 'watch', a regression",
        ),
        (
            {"tasks": {"watch": {"label": {"column": "w", "above": 1}, "kind": "regression"}}},
            "is a condition, which is 0 or 1",
        ),
        ({"tasks": {"like": {"label": "click"}}}, "both use column 'click'"),
        (
            {"tasks": {"like": {"label": {"column": "item", "one_of": ["a"]}}}},
            "both use column 'item'",
        ),
        (
            {"tasks": WATCH, "training": {"select_by": {"metric": "auc"}}},
            "'watch' is a regression, which has no AUC",
        ),
        (
            {
                "tasks": WATCH,
                "gate": {"thresholds": [{"rule": "auc", "task": "watch", "minimum": 0.5}]},
            },
            "'auc' is not defined of task 'watch'",
        ),
        (
            {"tasks": WATCH, "components": {"transform": "stock"}},
            "Transform does not know tasks.watch.kind: regression",
        ),
        (
            {"data": {"weight": "w"}, "components": {"evaluation": "stock"}},
            "Evaluator does not know data.weight",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_cannot_be_is_refused(values, message):
    with pytest.raises(SettingsError, match=message):
        _read(**values)


def test_one_fault_of_both_trainings_is_named_once():
    """The reference has it from the candidate; one of its own is named besides."""
    by_auc = {"select_by": {"metric": "auc"}}
    with pytest.raises(SettingsError) as caught:
        _read(WATCH, training=by_auc)
    assert str(caught.value).count("has no AUC") == 1
    gate = {"reference": {"network": "mmoe"}, "reference_training": by_auc}
    with pytest.raises(SettingsError, match="gate.reference_training.select_by.metric is 'auc'"):
        _read(WATCH, gate=gate)


def test_what_can_be_is_taken():
    read = _read(
        {"long": {"label": {"column": "watch", "at_least": 30}, "weight": "w"}, **WATCH},
        data={"weight": "w", "where": [{"column": "country", "one_of": ["de"]}]},
        sampling={"task": "click", "negatives": 0.1},
    )
    assert read.contract.weight.column == "w" and read.contract.sampling.negatives == 0.1
    assert read.contract.task_specs[1].label == "watch >= 30"


@pytest.mark.parametrize(
    "sections",
    [
        {"model": {"network": "esmm"}},
        {"model": {"network": "lightgbm"}},
        {"training": {"loss": [{"name": "uncertainty_weighting"}]}},
    ],
)
def test_networks_and_losses_of_two_classes_alone_are_refused(sections):
    with pytest.raises(ExperimentFileError, match="knows labels 0 and 1 alone, and task 'watch'"):
        check_options(_read(WATCH, **sections))


DRAWN = {"task": "click", "negatives": 0.1, "correction": "logit"}
BUY = {"buy": {"label": "buy", "after": "click"}}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": {"network": "esmm"}}, "model.network: 'esmm' composes probabilities, and the"),
        ({"model": {"network": "aitm"}}, "training.loss: 'behavioural_expectation_calibrator' has"),
        ({"training": {"loss": [{"name": "focal"}]}}, "training.loss: 'focal' has no constant"),
        (
            {"training": {"loss": [{"name": "binary_cross_entropy"}, {"name": "pwiser"}]}},
            "training.loss: 'pwiser' has no constant",
        ),
        (
            {
                "training": {
                    "loss": [{"name": "binary_cross_entropy", "options": {"label_smoothing": 0.1}}]
                }
            },
            "'binary_cross_entropy' has no constant that corrects the logit of 'click', whose "
            "negatives are drawn: set sampling.correction: weights",
        ),
    ],
)
def test_what_no_constant_corrects_is_refused_in_one_line(values, message):
    with pytest.raises(ExperimentFileError) as caught:
        check_options(_read(BUY, sampling=DRAWN, **values))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    check_options(_read(BUY, sampling={**DRAWN, "correction": "weights"}, **values))


def test_a_constant_corrects_the_others():
    for loss in ("binary_cross_entropy", "domain_cross_entropy", "uncertainty_weighting"):
        check_options(_read(BUY, sampling=DRAWN, training={"loss": [{"name": loss}]}))
    read = _read(BUY, sampling=DRAWN)
    assert [task.kept_negatives for task in read.contract.task_specs] == [0.1, 1.0]
    assert read.contract.sampling.model_dump() == {**DRAWN, "seed": 1}
    plain = _read(BUY, sampling={"task": "click", "negatives": 0.1})
    assert "correction" not in plain.contract.sampling.model_dump()
    assert {task.kept_negatives for task in plain.contract.task_specs} == {1.0}
