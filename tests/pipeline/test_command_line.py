import subprocess
import sys

import pytest

from mtlx.kubeflow.commands import rehearse
from mtlx.pipeline import command_line
from mtlx.pipeline.process.prompt_stop import BEGINS_ANEW, STOPPED


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from mtlx.pipeline.command_line import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'tensorflow', 'tfx', 'apache_beam', 'keras', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "simulate" in done.stdout


@pytest.mark.parametrize("command", ["run", "simulate", "report", "models"])
def test_every_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as caught:
        command_line.main([command, "--help"])
    assert caught.value.code == 0
    assert f"example: mtlx {command}" in capsys.readouterr().out


def test_wrong_experiment_file_is_one_clear_error(tmp_path, capsys):
    assert command_line.main(["run", str(tmp_path / "no.yaml")]) == command_line.EXIT_WRONG_INPUT
    assert "no.yaml: No such file" in capsys.readouterr().err


def test_models_lists_and_describes(capsys):
    assert command_line.main(["models"]) == 0
    assert "model.network: " in capsys.readouterr().out
    assert command_line.main(["models", "mmoe"]) == 0
    assert "Options:" in capsys.readouterr().out
    assert command_line.main(["models", "mmo"]) == command_line.EXIT_WRONG_INPUT
    assert "did you mean 'mmoe'" in capsys.readouterr().err


def test_models_counts_parameters(capsys):
    command = ["models", "mmoe", "--count"]
    assert command_line.main([*command, "configs/census_income.yaml"]) == 0
    assert "mmoe (model.network): " in capsys.readouterr().out
    assert command_line.main([*command, "no.yaml"]) == command_line.EXIT_WRONG_INPUT
    assert "no.yaml: No such file" in capsys.readouterr().err
    assert command_line.main(["models", "--count", "x.yaml"]) == command_line.EXIT_WRONG_INPUT
    assert "NAME" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command_line.main([*command, "x.yaml", "--vocabulary", "0"])


def test_report_before_any_run_says_what_to_do(tmp_path, capsys):
    arguments = ["report", "configs/default.yaml", "--set", f"run.pipeline_root={tmp_path}"]
    assert command_line.main(arguments) == command_line.EXIT_WRONG_INPUT
    assert "mtlx run configs/default.yaml" in capsys.readouterr().err


def test_help_says_what_the_exit_codes_of_a_run_mean(capsys):
    with pytest.raises(SystemExit):
        command_line.main(["run", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "1 failed with nothing pushed, 7 pushed but failed after that" in text


def test_a_command_that_is_interrupted_ends_with_130(capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    command = command_line.Command("wait", "waits", "mtlx wait", lambda parser: None, interrupted)
    assert command_line.main(["wait"], [command]) == command_line.EXIT_STOPPED == 130
    assert capsys.readouterr().err == "\nStopped.\n"


def test_only_commands_that_go_on_say_so():
    """That they do is shown where they are stopped or killed; the others read, or begin anew."""
    commands = {one.name: one.stopped for one in (*command_line.COMMANDS, rehearse.COMMAND)}
    going_on = {name for name, words in commands.items() if words == STOPPED}
    assert going_on == {"run", "replay", "compare", "tune", "clean", "rollback", "rehearse"}
    assert commands["score"] == BEGINS_ANEW
    assert "With --days the same command goes on" in commands["simulate"]
    others = going_on | {"score", "simulate"}
    assert {words for name, words in commands.items() if name not in others} == {"Stopped."}
