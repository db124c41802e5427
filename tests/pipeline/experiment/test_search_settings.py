import pytest

from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment

FILE = "configs/default.yaml"


def _search(text, **written):
    return read_experiment(FILE, [f"search={text}"]).search


def test_settings_are_named_as_a_whole_or_below_their_sections():
    nested = _search("{training: {learning_rate: {log: [1e-4, 1e-2]}, l2: {range: [0, 1]}}}")
    whole = _search("{training.learning_rate: {log: [0.0001, 0.01]}, training.l2: {range: [0, 1]}}")
    assert nested == whole
    assert nested["training.learning_rate"].bounds == (1e-4, 1e-2)
    assert isinstance(nested["training.l2"].bounds[1], int)


def test_one_setting_of_it_is_replaced_on_the_command_line():
    given = ["search={training.l2: {range: [0, 1]}}", "search.training.l2={range: [0, 2]}"]
    assert read_experiment(FILE, given).search["training.l2"].bounds == (0, 2)


def test_numbers_without_a_point_are_numbers():
    assert _search("{training.l2: {choices: [0, 1e-4, text]}}")["training.l2"].choices == [
        0,
        1e-4,
        "text",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{training.l2: {lgo: [1, 2]}}", "training.l2: unknown setting 'lgo', did you mean 'log'"),
        ("{training.l2: {log: [2, 1]}}", "training.l2.log: the lowest value stands first"),
        ("{training.l2: {log: [1, 1]}}", "the lowest value stands first"),
        ("{training.l2: {log: [0, 1]}}", "orders of magnitude begin above 0"),
        ("{training.l2: {log: [1]}}", "give the lowest and the highest value"),
        ("{training.l2: {range: [a, 1]}}", "training.l2.range.0: expected a number"),
        ("{training.l2: {range: [0, .inf]}}", "finite"),
        ("{training.l2: {range: [0, 1], step: 2}}", "step 2 is longer than the range"),
        ("{training.l2: {range: [0, 1], step: 0}}", "greater than 0"),
        ("{training.l2: {log: [1, 2], step: 1}}", "step belongs to range"),
        ("{training.l2: {log: [1, 2], range: [1, 2]}}", "Received: log and range"),
        ("{training.l2: {}}", "Received: none of them"),
        ("{training.l2: [1, 2]}", "say by log, range or choices"),
        ("{training.l2: {choices: [1]}}", "give two or more"),
        ("{training.l2: {choices: []}}", "give two or more"),
        ("{training.l2: {choices: [1, 2, 1]}}", "1 stands there twice"),
        ("{training.l2: {choices: [2024-01-01, 2]}}", "put dates into quotes"),
        ("[1]", "valid dictionary"),
    ],
)
def test_what_is_no_space_is_refused_where_it_stands(text, says):
    with pytest.raises(ExperimentFileError) as error:
        _search(text)
    assert says in str(error.value) and "--set search=" in str(error.value)


def test_a_line_of_the_file_is_named(tmp_path):
    text = open(FILE, encoding="utf-8").read()
    path = tmp_path / "experiment.yaml"
    path.write_text(text + "\nsearch:\n  training:\n    l2: {log: [2, 1]}\n", encoding="utf-8")
    with pytest.raises(ExperimentFileError, match=rf":{text.count(chr(10)) + 4}: search.training"):
        read_experiment(path)
