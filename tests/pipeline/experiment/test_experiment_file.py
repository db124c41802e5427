import textwrap
from pathlib import Path

import pytest

from mtlx.pipeline.experiment.checked_experiment import check_options
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment

VALID = """\
name: small
data: {reader: csv, path: logs/*.csv, split: {by: row, train: 0.8, validation: 0.1, test: 0.1}}
features:
  item: {kind: categorical}
  age: {kind: numeric}
tasks:
  click: {label: click}
model: {network: shared_bottom}
"""


@pytest.fixture
def write(tmp_path):
    def function(text):
        path = tmp_path / "x.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return function


def _message(path, **arguments):
    with pytest.raises(ExperimentFileError) as caught:
        read_experiment(path, **arguments)
    return str(caught.value)


def test_valid_file(write, tmp_path):
    experiment = read_experiment(write(VALID), data_root=str(tmp_path))
    assert experiment.name == "small"
    assert list(experiment.contract.features) == ["item", "age"]
    assert list(experiment.data.path) == [str(tmp_path / "logs/*.csv")]


def test_data_root_from_the_environment(write, tmp_path, monkeypatch):
    monkeypatch.setenv("MTLX_DATA", str(tmp_path / "elsewhere"))
    assert list(read_experiment(write(VALID)).data.path) == [str(tmp_path / "elsewhere/logs/*.csv")]


def test_overrides_replace_settings(write):
    path = write(VALID)
    experiment = read_experiment(path, ["training.epochs=3", "model.network=ple", "run.cache=no"])
    assert experiment.training.epochs == 3
    assert experiment.model.network == "ple"
    assert experiment.run.cache is False


def test_override_without_value(write):
    assert "section.key=value" in _message(write(VALID), overrides=["training.epochs"])


def test_missing_file_names_an_example(tmp_path):
    assert "configs/default.yaml" in _message(tmp_path / "none.yaml")


def test_unknown_key_has_file_line_and_nearest_name(write):
    path = write(VALID.replace("age: {kind: numeric}", "age: {kind: numeric, transfrm: log}"))
    assert _message(path).startswith(
        f"{path}:5: features.age: unknown setting 'transfrm', did you mean 'transform'?"
    )


def test_feature_named_twice(write):
    path = write(VALID.replace("  age:", "  item: {kind: numeric}\n  age:"))
    assert _message(path).startswith(f"{path}:5: features.item: stands twice")


def test_no_yaml(write):
    assert "no valid YAML" in _message(write("a: [1"))


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "gate: {baseline: reference}",
            "gate.baseline is 'reference' but gate.reference is absent",
        ),
        ("evaluation: {slices: [[itm]]}", "did you mean 'item'"),
        ("evaluation: {user_key: usr}", "evaluation.user_key: 'usr' is no categorical feature"),
        ("training: {task_weights: {clck: 2}}", "training.task_weights names no task: 'clck', did"),
        (
            "training: {select_by: {task_weights: {clck: 2}}}",
            "training.select_by.task_weights names no task: 'clck', did you mean",
        ),
        ("training: {task_weights: {clik: 2.0}}", "did you mean 'click'"),
        (
            "gate: {thresholds: [{rule: auc, task: 'buy*', minimum: 0.6}]}",
            "no task matches 'buy*'",
        ),
        ("target_item: age", "target_item 'age' is no categorical feature"),
    ],
)
def test_sections_that_disagree_are_refused_with_the_line(write, addition, message):
    path = write(VALID + addition + "\n")
    text = _message(path)
    assert message in text
    assert text.startswith(f"{path}:9: "), text


def test_options_of_models_are_checked_by_name_and_type(write):
    experiment = read_experiment(write(VALID + "gate: {reference: {network: mmoe}}\n"))
    check_options(experiment)
    path = write(VALID.replace("network: shared_bottom", "network: mmoe, options: {expert: 3}"))
    with pytest.raises(ExperimentFileError, match="model: unknown option 'expert' of 'mmoe'"):
        check_options(read_experiment(path))


def test_options_of_the_reader_are_checked(write):
    path = write(VALID.replace("reader: csv,", "reader: csv, options: {delimter: ';'},"))
    with pytest.raises(ExperimentFileError, match="data: unknown option 'delimter' of 'csv'"):
        check_options(read_experiment(path))


def test_missing_markers_of_the_reader_are_part_of_the_contract(write):
    assert read_experiment(write(VALID)).contract.missing == ("",)
    options = ["data.options.missing=['NULL', ' nan ', -1]"]
    experiment = read_experiment(write(VALID), options)
    assert experiment.contract.missing == ("", "NULL", "nan", "-1")
    assert experiment.contract.missing_numbers == (-1.0,)
    check_options(experiment)
    census = read_experiment(write(VALID), ["data.reader=census_income"])
    assert census.contract.missing == ("", "?")


def test_missing_markers_that_yaml_has_changed_are_refused(write):
    experiment = read_experiment(write(VALID), ["data.options.missing=[NULL]"])
    with pytest.raises(ExperimentFileError, match="missing: .*in quotes.*None"):
        check_options(experiment)


def test_markers_have_one_place_and_are_no_domains(write):
    assert "unknown setting 'missing'" in _message(write(VALID + "missing: ['x']\n"))
    domain = VALID + "domain: {feature: item, values: [a, 'NULL']}\n"
    message = _message(write(domain), overrides=["data.options.missing=['NULL']"])
    assert "x.yaml:9: domain.values names 'NULL', which stands for a missing value" in message


def test_dates_that_do_not_exist_are_named(write):
    split = "{by: time, column: t, test_from: '2024-02-30'}"
    message = _message(write(VALID), overrides=[f"data.split={split}"])
    assert "data.split: test_from: there is no such time: '2024-02-30'" in message


def test_all_configs_are_valid():
    for path in sorted((Path(__file__).parents[3] / "configs").glob("*.yaml")):
        check_options(read_experiment(path))
