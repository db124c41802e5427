"""``mtlx tune``: what is wrong is said before anything is read or trained."""

import pytest

from mtlx.pipeline.command_line import EXIT_WRONG_INPUT, main

FILE = "configs/default.yaml"
SPACE = ["--set", "search={training.learning_rate: {log: [0.001, 0.1]}}"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "search: says what is varied, and is not there or empty"),
        (["--set", "search={training.batch_sise: {choices: [1, 2]}}"], "mean 'batch_size'"),
        (["--set", "search={training.l2: {log: [1, 0.1]}}"], "the lowest value stands first"),
        ([*SPACE, "--trials", "0"], "--trials 0: give 1 or more"),
        ([*SPACE, "--workers", "0"], "--workers 0: give 1 or more"),
        ([*SPACE, "--minutes", "0"], "--minutes 0.0: give a number above 0"),
        ([*SPACE, "--minutes", "nan"], "--minutes nan: give a number above 0"),
        ([*SPACE, "--seeds", "2"], "--seeds 2: 0, or 3 and more"),
        ([*SPACE, "--seeds", "-3"], "--seeds -3: 0, or 3 and more"),
        ([*SPACE, "--objective", "auc:clik"], "did you mean 'auc:click'"),
        (
            [*SPACE, "--set", "data.path=no/*.csv", "--set", "report.best_possible=null"],
            "no file matches",
        ),
    ],
)
def test_wrong_input_is_refused_in_one_line_and_leaves_nothing(arguments, says, tmp_path, capsys):
    out = tmp_path / "search"
    assert main(["tune", FILE, *arguments, "--out", str(out)]) == EXIT_WRONG_INPUT
    shown = capsys.readouterr()
    assert says in shown.err and not shown.out
    assert len(shown.err.splitlines()) == 1
    assert not out.exists()
