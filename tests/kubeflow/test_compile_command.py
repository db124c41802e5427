"""``mtlx compile`` at the command line."""

import pytest

from mtlx.kubeflow import command_line
from mtlx.kubeflow.package.strict_checks import check_package
from mtlx.pipeline.command_line import EXIT_OK, EXIT_WRONG_INPUT


def test_writes_a_checked_package_and_says_what_is_next(golden_folder, tmp_path, capsys):
    experiment = str(golden_folder / "experiment.yaml")
    assert command_line.main(["compile", experiment, "--out", str(tmp_path)]) == EXIT_OK
    output = capsys.readouterr().out
    check_package((tmp_path / "Small_run.yaml").read_text(encoding="utf-8"))
    (compiled,) = (tmp_path / "ir").iterdir()
    assert f"gs://bucket/pipelines/small/ir/{compiled.name}" in output
    (trainer,) = [line for line in output.splitlines() if " Trainer " in line]
    assert [cell.strip() for cell in trainer.split("│")][2:6] == ["500m", "2Gi", "2", "1"]
    assert f"mtlx submit {experiment}" in output


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("kubeflow.image=null", "kubeflow.image is missing"),
        ("kubeflow.nodes.Report.gpus=1", "kubeflow.nodes.Report.gpus: unknown setting"),
        ("model.network=dnt", "dtn"),
    ],
)
def test_writes_nothing_that_is_refused(golden_folder, tmp_path, capsys, override, message):
    arguments = ["compile", str(golden_folder / "experiment.yaml"), "--out", str(tmp_path / "out")]
    assert command_line.main([*arguments, "--set", override]) == EXIT_WRONG_INPUT
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
