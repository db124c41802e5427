"""How runs end that cannot write, or not any more: one line each, and a code that says enough."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mtlx.pipeline import command_line
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.preflight.preflight import preflight
from mtlx.pipeline.process.disk_full import is_disk_full
from mtlx.pipeline.run.local_run import check_not_in_use, run_experiment
from mtlx.pipeline.run.pipeline_root import pipeline_root
from mtlx.pipeline.run.run_lock import PipelineRootInUse, run_lock
from mtlx.pipeline.run.run_result import RunFailed

#: Runs a command as a person does, and fails where TensorFlow was loaded for it.
COMMAND = """
import sys
from mtlx.pipeline.command_line import main
code = main(sys.argv[1:])
assert "tensorflow" not in sys.modules and "apache_beam" not in sys.modules
sys.exit(code)
"""


def _refused_early(*arguments):
    """Exit code and errors of a command that ends before TensorFlow is loaded."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments], capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_folders_that_cannot_be_written_are_refused_at_once(write_experiment, tmp_path):
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "below"
    path = write_experiment(run={"pipeline_root": str(below)}, serving={"push_to": str(below)})
    code, errors = _refused_early("run", str(path))
    assert code == command_line.EXIT_WRONG_INPUT
    assert errors.splitlines() == [
        f"{path}: {setting}: {tmp_path / 'file'} is a file, below which {below} should be: give "
        "the path of a folder"
        for setting in ("run.pipeline_root", "serving.push_to")
    ]


def test_a_read_only_root_is_refused(write_experiment, mount):
    disk = mount("ro,size=1m")
    path = write_experiment(run={"pipeline_root": str(disk / "root")})
    with pytest.raises(ExperimentFileError, match=f"{disk} cannot be written to .*[Rr]ead-only"):
        preflight(read_experiment(path), str(path))


def test_a_second_run_is_refused_before_tensorflow_is_loaded(write_experiment):
    path = write_experiment()
    with run_lock(pipeline_root(read_experiment(path))):
        code, errors = _refused_early("run", str(path))
    assert code == command_line.EXIT_FAILED
    assert "another run is at work here" in errors


def test_a_refusal_is_told_before_tensorflow_is_loaded(write_experiment, tmp_path):
    told = tmp_path / "told.txt"
    path = write_experiment(
        data={"path": str(tmp_path / "nothing" / "*.csv")},
        notify={"command": ["sh", "-c", f"cat > {told}; echo $MTLX_EVENT >> {told}"]},
    )
    code, errors = _refused_early("run", str(path))
    assert code == command_line.EXIT_WRONG_INPUT
    assert "Notified (failed): sh" in errors.splitlines()
    first, *_, last = told.read_text(encoding="utf-8").splitlines()
    assert first.endswith(": refused") and last == "failed"
    assert str(tmp_path / "nothing") in told.read_text(encoding="utf-8")
    told.unlink()
    path = write_experiment(notify={"command": ["sh", "-c", f"cat > {told}"]})
    with run_lock(pipeline_root(read_experiment(path))):
        code, _ = _refused_early("run", str(path))
    assert code == command_line.EXIT_FAILED
    assert "another run is at work here" in told.read_text(encoding="utf-8")


def test_a_full_disk_is_one_message_and_nothing_is_pushed(write_experiment, mount, capfd):
    path = write_experiment(run={"pipeline_root": str(mount("size=400k") / "root")})
    assert command_line.main(["run", str(path)]) == command_line.EXIT_FAILED
    errors = capfd.readouterr().err
    assert len(errors.splitlines()) < 8
    assert "No space left on device" in errors or "disk is full" in errors
    assert "The disk is full: free some space; the same command goes on from there." in errors
    assert "The model was not pushed." in errors
    assert "Traceback" not in errors and "Logging error" not in errors
    assert not Path(read_experiment(path).serving.push_to).exists()


def test_a_disk_that_is_full_after_the_push_says_so(finished, mount, capfd):
    """The run's own folder is on a disk that somebody fills while Pusher works."""
    path, first = finished
    disk = mount("size=1m", first.folder.parent)
    states = []

    def fill(node):
        states.append((node.node_id, node.state))
        if states[-1] == ("Pusher", "complete"):
            with open(disk / "filler", "wb", buffering=0) as file:
                with pytest.raises(OSError, match="No space left"):
                    while True:
                        file.write(b"x" * 4096)

    with pytest.raises(RunFailed) as caught:
        run_experiment(read_experiment(path), fill)
    assert ("Pusher", "complete") in states
    message = str(caught.value)
    assert "No space left on device" in message.splitlines()[0]
    assert f"The model was pushed: {first.pushed_to}" in message
    assert caught.value.pushed_to == first.pushed_to
    # The disk is still full: the command ends in the same way, with the code for it.
    assert command_line.main(["run", str(path)]) == command_line.EXIT_PUSHED_UNFINISHED
    errors = capfd.readouterr().err
    assert f"The model was pushed: {first.pushed_to}" in errors
    assert "Traceback" not in errors and "Logging error" not in errors
    assert len(errors.splitlines()) < 8
    # Freed, the next run goes on, and makes no second version.
    (disk / "filler").unlink()
    assert run_experiment(read_experiment(path)).pushed_to == first.pushed_to
    assert [name for name in Path(first.pushed_to).parent.iterdir() if name.name.isdecimal()] == [
        Path(first.pushed_to)
    ]


def test_a_summary_that_cannot_be_shown_does_not_hide_the_push(finished, monkeypatch, capsys):
    path, _ = finished

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mtlx.pipeline.terminal.terminal.print_summary", full)
    assert command_line.main(["run", str(path)]) == command_line.EXIT_PUSHED_UNFINISHED
    assert "its summary cannot be shown" in capsys.readouterr().err


def test_an_emptied_metadata_store_is_named_with_the_remedy(write_experiment):
    path = write_experiment()
    root = pipeline_root(read_experiment(path))
    (root / "artifacts/LogExampleGen/examples/7/Split-train").mkdir(parents=True)
    with pytest.raises(RunFailed, match="holds outputs of execution 7.*executions up to 0 only"):
        run_experiment(read_experiment(path))
    assert sorted(
        entry.name for entry in (root / "artifacts/LogExampleGen/examples").iterdir()
    ) == ["7"]
    shutil.rmtree(root)


def test_two_runs_in_one_root_are_told_apart_from_failures(finished):
    path, first = finished
    with run_lock(first.folder.parent.parent):
        with pytest.raises(PipelineRootInUse):
            check_not_in_use(read_experiment(path))


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(28, "No space left on device"), True),
        (RuntimeError("database or disk is full"), True),
        (ValueError("another"), False),
    ],
)
def test_a_full_disk_is_known_by_its_cause(error, full):
    assert is_disk_full(error) == full
    wrapped = RuntimeError("in a library")
    wrapped.__cause__ = error
    assert is_disk_full(wrapped) == full
