"""``mtlx rehearse`` on packages that no rehearsal can run."""

import pytest
from kfp import compiler, dsl

from mtlx.kubeflow import command_line
from mtlx.pipeline.command_line import EXIT_FAILED, EXIT_WRONG_INPUT
from mtlx.pipeline.history.list_runs import list_runs


@dsl.container_component
def work(name: str):
    return dsl.ContainerSpec(image="x", command=["python", "-c", "pass"])


@dsl.pipeline(name="small")
def small(name: str = "a"):
    with dsl.If(name == "a"):
        work(name=name)


@dsl.pipeline(name="loop")
def loop():
    with dsl.ParallelFor(["a", "b"]) as item:
        work(name=item)


@pytest.mark.parametrize(
    ("pipeline", "change", "message"),
    [
        (small, (" == 'a'", ".startsWith('a')"), "startsWith('a') is not known here"),
        (loop, ("", ""), "is a loop, which is not rehearsed"),
    ],
)
def test_what_can_not_be_rehearsed_ends_with_2(
    golden_folder, tmp_path, capsys, pipeline, change, message
):
    folder = tmp_path / "runs" / "earlier"
    folder.mkdir(parents=True)
    package = folder / "package.yaml"
    compiler.Compiler().compile(pipeline, str(package))
    text = package.read_text()
    package.write_text(text.replace(*change) if all(change) else text)
    (folder / "parameters.json").write_text("{}")
    arguments = ["rehearse", str(golden_folder / "experiment.yaml"), "--out", str(tmp_path)]
    assert command_line.main([*arguments, "--resume", "earlier"]) == EXIT_WRONG_INPUT
    assert message in capsys.readouterr().err
    # It stands in the list of runs, with why.
    (run,) = list_runs(tmp_path)
    assert run.verdict == "failed before the end" and message in run.message


def test_a_folder_that_cannot_be_written_is_one_line(golden_folder, tmp_path, capsys):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "below"
    arguments = ["rehearse", str(golden_folder / "experiment.yaml"), "--out", str(out)]
    # Logs of another folder, and of the simulator's ground truth none.
    arguments += ["--data-path", str(tmp_path), "--set", "report.best_possible=null"]
    assert command_line.main(arguments) == EXIT_FAILED
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"--out {out}: ") and "Not a directory" in line
