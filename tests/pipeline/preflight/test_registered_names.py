"""Names that nobody has registered, in every place that takes one."""

import pytest

from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.preflight.registered_names import check_names, name_problems

REFERENCE = {"network": "ple"}


def _problems(path, *overrides):
    return name_problems(read_experiment(path, overrides))


def test_a_right_experiment_has_none(write):
    path = write(gate={"reference": REFERENCE})
    assert _problems(path) == []
    check_names(read_experiment(path), str(path))


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("data.reader=parket", "data.reader: unknown reader 'parket', did you mean 'parquet'"),
        ("model.network=plee", "model.network: unknown network 'plee', did you mean 'ple'"),
        ("model.sequence_encoder=dinn", "model.sequence_encoder: unknown sequence encoder 'dinn', did you mean 'din'"),
        ("model.bottom=trmm", "model.bottom: unknown bottom 'trmm', did you mean 'trm'"),
        ("model.arrangement=jointt", "model.arrangement: unknown arrangement 'jointt', did you mean 'joint'"),
        ("training.method=mta", "training.method: unknown training method 'mta', did you mean 'meta'"),
        ("training.loss=[{name: focl}]", "training.loss: unknown loss 'focl', did you mean 'focal'"),
        ("gate.reference.network=plee", "gate.reference.network: unknown network 'plee', did you mean 'ple'"),
        ("gate.reference.bottom=trmm", "gate.reference.bottom: unknown bottom 'trmm'"),
        ("gate.reference_training={method: mta}", "gate.reference_training.method: unknown training method 'mta'"),
        ("gate.reference_training={loss: [{name: focl}]}", "gate.reference_training.loss: unknown loss 'focl'"),
    ],
)  # fmt: skip
def test_every_place_that_takes_a_name_is_looked_at(write, override, problem):
    problems = _problems(write(gate={"reference": REFERENCE}), override)
    assert any(found.startswith(problem) for found in problems), problems


def test_a_schedule_is_looked_at(write):
    (first, *_) = _problems(write(), "training.schedule={name: cosin}")
    assert first.startswith("training.schedule: unknown ") and "'cosin', did you mean" in first


def test_all_problems_are_named_and_each_once(write):
    """Two losses of one wrong name are one problem; two wrong places are two."""
    problems = _problems(
        write(), "training.loss=[{name: focl}, {name: focl}]", "model.network=plee",
        "data.options={delimter: x, encodng: y}",
    )  # fmt: skip
    assert len(problems) == len(set(problems)) == 4
    for words in ("'focl'", "'plee'", "'delimter'", "'encodng'"):
        assert sum(words in problem for problem in problems) == 1


def test_options_of_an_unknown_reader_are_not_spoken_of(write):
    (problem,) = _problems(write(), "data.reader=cvs", "data.options={delimter: x}")
    assert problem.startswith("data.reader: unknown reader 'cvs', did you mean 'csv'")


def test_check_names_refuses_with_the_file_before_every_line(write):
    experiment = read_experiment(write(), ["model.network=plee", "model.bottom=x"])
    with pytest.raises(ExperimentFileError) as caught:
        check_names(experiment, "my file.yaml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith("my file.yaml: model.") for line in lines)
