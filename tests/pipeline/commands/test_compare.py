"""``mtlx compare``: what is wrong is said before anything is trained."""

import pytest

from mtlx.pipeline.command_line import EXIT_WRONG_INPUT, main

FILE = "configs/default.yaml"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--models", "mmoe"], "name two or more models"),
        (["--models", "mmoe,pple"], "unknown model 'pple', did you mean 'ple'"),
        (["--models", "mmoe,mmoe"], "'mmoe' stands there twice"),
        (["--models", "mmoe,ple:data.path=x"], "expected model.KEY=VALUE or training.KEY=VALUE"),
        (["--models", "mmoe,ple", "--seeds", "2"], "--seeds 2: 1, or 3 and more"),
        (["--models", "mmoe,ple", "--seeds", "0"], "--seeds 0: 1, or 3 and more"),
        (["--models", "mmoe,ple", "--workers", "0"], "--workers 0: give 1 or more"),
        (["--models", "mmoe,ple", "--match-parameters", "0.5"], "--match-parameters 0.5: give 1"),
        (["--models", "mmoe,ple", "--match-parameters", "nan"], "--match-parameters nan: give 1"),
        (["--models", "mmoe,ple", "--reference", "mmo"], "--reference mmo: it is none of --models"),
        (["--models", "mmoe,ple", "--set", "data.path=nowhere/*.csv"], "nowhere"),
    ],
)
def test_wrong_input_is_refused_in_one_line_and_leaves_nothing(arguments, says, tmp_path, capsys):
    out = tmp_path / "comparison"
    assert main(["compare", FILE, *arguments, "--out", str(out)]) == EXIT_WRONG_INPUT
    shown = capsys.readouterr()
    assert says in shown.err and not shown.out
    assert not out.exists()
