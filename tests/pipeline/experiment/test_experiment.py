"""What an experiment knows of itself: paths, contract, text, and sections that disagree."""

import json

import pytest

from mtlx.pipeline.experiment.experiment import ANCHORED, Experiment
from mtlx.transform.config.settings import SettingsError


def _values(**sections):
    values = {
        "name": "small",
        "data": {"path": "/logs/*.csv", "split": {"by": "row"}},
        "features": {
            "item": {"kind": "categorical"},
            "city": {"kind": "categorical"},
            "price": {"kind": "numeric"},
        },
        "domain": {"feature": "city", "values": ["a", "b"]},
        "tasks": {"click": {"label": "click"}, "buy": {"label": "buy", "after": "click"}},
        "model": {"network": "mmoe"},
    }
    return {**values, **sections}


def _read(**sections):
    return Experiment.read(_values(**sections))


def _problem(**sections):
    with pytest.raises(SettingsError) as caught:
        _read(**sections)
    return str(caught.value)


@pytest.fixture
def with_paths():
    return _read(
        run={"pipeline_root": "root"},
        serving={"push_to": "/serving"},
        validation={"schema_path": "../schema.pbtxt"},
        gate={"given_model": "gs://bucket/7"},
        report={"best_possible": "best.json"},
    )


def _paths(experiment):
    return {
        setting: getattr(getattr(experiment, setting.split(".")[0]), setting.split(".")[1])
        for setting in ANCHORED
    }


def test_relative_paths_start_from_the_file_s_folder_but_for_those_of_the_command_line(
    with_paths, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    placed = with_paths.in_folder("/experiments/mine", ["report.best_possible"])
    assert _paths(placed.anchored()) == {
        "run.pipeline_root": "/experiments/mine/root",
        "serving.push_to": "/serving",
        "validation.schema_path": "/experiments/schema.pbtxt",
        "gate.given_model": "gs://bucket/7",
        "skew.versions_in": None,
        "report.best_possible": str(tmp_path / "best.json"),
    }
    # The experiment itself keeps them as they were written: on a cluster others take their places.
    assert _paths(placed) == _paths(with_paths)
    assert placed.anchored().anchored() == placed.anchored()


def test_the_folder_of_a_base_model_starts_from_the_file_s_folder():
    def folder(start, *from_here):
        placed = _read(training={"warm_start": start}).in_folder("/mine", from_here)
        return placed.anchored().training.warm_start.folder

    assert folder("models/7") == "/mine/models/7"
    assert folder({"from": "gs://bucket/7"}) == "gs://bucket/7"
    assert folder("latest_blessed") is None
    assert folder("models", "training.warm_start.from").startswith("/")
    assert not folder("models", "training.warm_start.from").startswith("/mine")


def test_what_a_warm_start_does_not_go_with():
    start = {"warm_start": "latest_blessed"}
    assert _read(training=start, transform={"reuse": "base_model"}).transform.reuse
    assert "transform.reuse is 'base_model', but training.warm_start names none" in _problem(
        transform={"reuse": "base_model"}
    )
    assert "TFX's Transform analyses everything anew" in _problem(
        training=start, transform={"reuse": "base_model"}, components={"transform": "stock"}
    )
    reference = {"reference": {"network": "ple"}, "reference_training": start}
    assert "the reference is trained from the start, always" in _problem(gate=reference)
    kept = _read(training={**start, "seed": 7}, gate={"reference": {"network": "ple"}})
    assert kept.reference_training.warm_start is None and kept.reference_training.seed == 7
    assert "epochs: 0 trains nothing" in _problem(training={"epochs": 0})
    taken_over = _read(training={**start, "epochs": 0}, gate={"reference": {"network": "ple"}})
    assert (taken_over.training.epochs, taken_over.reference_training.epochs) == (0, 10)


def test_seeds_that_nothing_would_be_made_of():
    reference = {"reference": {"network": "ple"}, "reference_training": {"repeats": 3}}
    assert "reference_training.repeats is 3, but the candidate is trained once" in _problem(
        gate=reference
    )
    both = _read(training={"repeats": 3}, gate={"reference": {"network": "ple"}})
    assert both.reference_training.seeds == (1, 2, 3)
    reference["reference_training"] = {"repeats": 1}
    assert _read(training={"repeats": 3}, gate=reference).reference_training.seeds == (1,)
    assert "stock Evaluator judges the exported model alone" in _problem(
        training={"repeats": 3}, components={"evaluation": "stock"}
    )
    assert "gate.reference_training.repeats: 2 seeds" in _problem(
        training={"repeats": 3},
        gate={"reference": {"network": "ple"}, "reference_training": {"repeats": 2}},
    )


def test_a_root_that_is_not_named_is_called_like_the_experiment():
    experiment = _read().in_folder("/x")
    assert experiment.run.pipeline_root is None
    paths = _paths(experiment.anchored())
    assert paths.pop("run.pipeline_root") == "/x/var/pipelines/small"
    assert set(paths.values()) == {None}


def test_the_contract_has_the_shared_sections_and_the_reader_s_missing_texts():
    data = {**_values()["data"], "reader": "csv", "options": {"missing": ["NULL"]}}
    contract = _read(data=data).contract
    assert list(contract.features) == ["item", "city", "price"]
    assert contract.domain.feature == "city" and list(contract.tasks) == ["click", "buy"]
    assert contract.missing == ("", "NULL")


def test_its_text_leaves_out_defaults_and_how_it_is_run():
    plain = _read()
    elsewhere = _read(run={"pipeline_root": "/x", "cache": False}, kubeflow={"image": "a/b:1"})
    assert plain.as_written() == elsewhere.as_written()
    written = json.loads(plain.as_written())
    assert set(written) == set(_values())
    assert written["model"] == {"network": "mmoe"}
    assert _read(training={"epochs": 3}).as_written() != plain.as_written()


def test_the_reference_trains_as_the_candidate_but_for_what_is_said_of_it():
    experiment = _read(
        training={"epochs": 3, "batch_size": 7},
        gate={"reference": {"network": "ple"}, "reference_training": {"epochs": 9}},
    )
    assert (experiment.reference_training.epochs, experiment.reference_training.batch_size) == (
        9,
        7,
    )
    assert experiment.training.epochs == 3


REFERENCE = {"reference": {"network": "ple"}}


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"evaluation": {"split": "tset"}}, "evaluation.split names no split: 'tset', did you mean 'test'"),
        ({"gate": {"baseline": "reference"}}, "name the model to train as the reference"),
        ({"gate": {"anchor": "reference", "thresholds": [
            {"rule": "relaimp", "minimum": 0, "against": "anchor"}]}},
         "gate.anchor is 'reference' but gate.reference is absent"),
        ({"gate": {**REFERENCE, "baseline": "reference", "given_model": "/m"}},
         "gate.given_model takes the place of the latest blessed model"),
        ({"gate": {**REFERENCE, "reference_training": {"epoch": 1}}},
         "gate.reference_training: unknown setting 'epoch', did you mean 'epochs'"),
        ({"gate": {**REFERENCE, "reference_training": {"task_weights": {"by": 1.0}}}},
         "training.task_weights names no task: 'by', did you mean 'buy'"),
        ({"data": {"path": "x", "split": {"by": "row", "train": 0.9, "validation": 0.1, "test": 0.0}}},
         "data.split.test is 0, but every split needs rows"),
        ({"data": {"path": "x", "split": {"by": "hash", "of": "item", "train": 0.5, "validation": 0.0, "test": 0.5}}},
         "data.split.validation is 0, but every split needs rows"),
        ({"data": {"path": "x", "split": {"by": "file", "train": ["a"], "test": ["b"], "validation_share": 0.0}}},
         "data.split.validation_share is 0, but every split needs rows"),
        ({"evaluation": {"metrics": ["gacu"]}}, "unknown metric 'gacu', did you mean 'gauc'"),
        ({"evaluation": {"metrics": ["gauc"]}}, "metric 'gauc' needs user_key"),
        ({"evaluation": {"metrics": ["mrr"], "request_key": "ctiy"}},
         "evaluation.request_key: 'ctiy' is no categorical feature, did you mean 'city'"),
        ({"gate": {"thresholds": [{"rule": "auc", "minimum": 0}, {"rule": "metric", "metric": "xauc", "limit": 0.6}]}},
         "gate.thresholds.1: 'xauc' is not measured: name it in evaluation.metrics"),
        ({"domain": {"feature": "city", "values": ["a", ""]}}, "domain.values"),
        ({"name": "a b"}, "name"),
    ],
)  # fmt: skip
def test_sections_that_disagree_are_refused_with_key_and_remedy(sections, words):
    assert words in _problem(**sections)


def test_a_share_of_validation_rows_that_is_not_drawn_may_be_zero():
    split = {"by": "file", "train": ["a"], "validation": ["v"], "test": ["b"]}
    data = {"path": "x", "split": {**split, "validation_share": 0.0}}
    assert _read(data=data).data.split.validation == ["v"]


def test_all_disagreements_are_said_at_once():
    text = _problem(
        evaluation={"split": "tset", "slices": [["ctiy"]]},
        training={"task_weights": {"clik": 1.0}},
        gate={"baseline": "reference", "thresholds": [{"rule": "auc", "task": "by", "minimum": 0}]},
    )
    for words in ("'tset'", "'ctiy' is no categorical feature, did you mean 'city'", "'clik'", "no task matches 'by'",
                  "gate.reference is absent"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    ("components", "sections", "words"),
    [
        ({"evaluation": "stock"}, {"gate": {"thresholds": [{"rule": "auc", "slice": "domain=a", "minimum": 0}]}},
         "gate.thresholds has 'auc' on 'domain=a'"),
        ({"evaluation": "stock"}, {"gate": {**REFERENCE, "thresholds": [{"rule": "auc", "minimum": 0}]}},
         "leave gate.reference out"),
        ({"example_gen": "stock"}, {}, "one pattern for each of train, validation and test"),
        ({"example_gen": "stock"}, {}, "set components.statistics to 'stock' as well"),
    ],
)  # fmt: skip
def test_what_stock_components_cannot_do(components, sections, words):
    assert words in _problem(components=components, **sections)


DAYS = "/logs/{YYYY}-{MM}-{DD}.csv"


def test_with_a_window_the_split_is_by_span():
    data = _read(data={"path": DAYS, "window": {"train": 7}}).data
    assert (data.split.by, data.split.validation_share, data.window.test) == ("span", 0.1, 1)
    kept = {"by": "span", "validation_share": 0.2, "validation_key": "item"}
    split = _read(data={"path": DAYS, "window": {"train": 7}, "split": kept}).data.split
    assert (split.validation_share, split.validation_key) == (0.2, "item")


@pytest.mark.parametrize(
    ("data", "sections", "words"),
    [
        ({"path": "/logs/*.csv"}, {}, "window needs a place for the span in every data.path"),
        ({"path": [DAYS, "/more/*.csv"]}, {}, "Received: '/more/*.csv'"),
        ({"split": {"by": "row"}}, {}, "leave data.split out, or set it to {by: span}"),
        (
            {"split": {"by": "time", "column": "t", "test_from": 5}},
            {},
            "Received: {by: time, ...}",
        ),
        (
            {"split": {"by": "file", "train": ["a"], "test": ["b"]}},
            {},
            "Received: {by: file, ...}",
        ),
        ({"window": {"train": 0}}, {}, "data.window.train: Input should be greater than 0"),
        ({"window": {"trian": 7}}, {}, "unknown setting 'trian', did you mean 'train'?"),
        (
            {"window": None, "split": {"by": "span"}},
            {},
            "data.window does not say how many spans train",
        ),
        ({"window": None, "split": {"by": "row"}, "gaps": "allow"}, {}, "which is not set"),
        ({}, {"evaluation": {"split": "validation"}}, "evaluation.split is 'validation', but with"),
    ],
)
def test_windows_that_cannot_be_run_are_refused(data, sections, words):
    given = {"path": DAYS, "window": {"train": 7}, **data}
    assert words in _problem(data=given, **sections)


def _late(after, train=7, test=1, thresholds=({"rule": "auc", "task": "click", "minimum": 0.5},)):
    return {
        "data": {"path": DAYS, "window": {"train": train, "test": test}},
        "tasks": {
            "click": {"label": "click"},
            "buy": {"label": "buy", "after": "click", "matures_after": after},
        },
        "gate": {"thresholds": list(thresholds)},
    }


ON_ALL = ({"rule": "auc", "minimum": 0.5},)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (
            _late(2) | {"data": {"path": DAYS, "split": {"by": "row"}}},
            "tasks.buy.matures_after is counted in spans of data.window, which is not set",
        ),
        (_late(8), "no span that trains is as old: set data.window.train to 8 or more"),
        (_late(9, train=7, test=2), "set data.window.train to 8 or more"),
        (_late(2, thresholds=ON_ALL), "the threshold on task '*' could not be decided: set data."),
        (_late(2, test=2, thresholds=ON_ALL), "set data.window.test to 3 or more, or name other"),
        (_late(2) | {"components": {"transform": "stock"}}, "Transform knows no labels that matu"),
        (_late(2) | {"components": {"evaluation": "stock"}}, "leave components.evaluation out"),
    ],
)
def test_late_labels_that_could_never_be_learnt_or_judged_are_refused(sections, words):
    assert words in _problem(**sections)


def test_late_labels_need_no_more_than_that():
    for sections in (_late(7), _late(2, test=3, thresholds=ON_ALL), _late(0, thresholds=ON_ALL)):
        assert _read(**sections).tasks["buy"].label == "buy"
