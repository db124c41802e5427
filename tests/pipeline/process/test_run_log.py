import logging
import subprocess
import sys
import warnings

from absl import logging as absl_logging

from mtlx.pipeline.process.run_log import run_log
from mtlx.pipeline.process import run_log as module


def test_everything_goes_to_the_file_and_own_lines_to_the_person(tmp_path, capsys):
    seen = []
    path = tmp_path / "run" / "log.txt"
    with run_log(path, seen.append):
        # A record of this project's own folders, as the trainer's loop would make it.
        own = logging.LogRecord(
            "absl", logging.INFO, module.__file__, 1, "epoch %d\nmore", (1,), None
        )
        logging.getLogger().handle(own)
        absl_logging.info("from somewhere else")
        logging.getLogger("tensorflow").warning("from tensorflow")
        warnings.warn("a warning", stacklevel=1)
    assert seen == ["epoch 1"]
    text = path.read_text(encoding="utf-8")
    for line in ("epoch 1", "from somewhere else", "from tensorflow", "a warning"):
        assert line in text
    output = capsys.readouterr()
    assert output.out == output.err == ""


def test_loggers_are_as_before_afterwards(tmp_path):
    root, absl = logging.getLogger(), absl_logging.get_absl_logger()
    before = (root.handlers[:], root.level, absl.handlers[:], absl_logging.get_verbosity())
    with run_log(tmp_path / "log.txt", print):
        assert absl_logging.get_verbosity() == absl_logging.INFO
    assert (root.handlers, root.level, absl.handlers, absl_logging.get_verbosity()) == before


def test_without_a_file_the_log_goes_to_standard_error(capsys):
    with run_log(None, print):
        absl_logging.info("for the pod's log")
    output = capsys.readouterr()
    assert "for the pod's log" in output.err
    assert output.out == ""


def test_what_libraries_say_while_they_are_imported_goes_into_the_log(tmp_path):
    # In a process of its own: pytest's handlers would take what absl prints here.
    code = f"""
from pathlib import Path
from mtlx.pipeline.process.heavy_imports import heavy_imports
from mtlx.pipeline.process.run_log import run_log
with heavy_imports():
    from absl import logging
    logging.warning("said by a library at import")
with run_log(Path({str(tmp_path / "log.txt")!r}), print):
    logging.info("said by a node")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""
    lines = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert ["import" in line for line in lines] == [True, False]


def test_a_full_disk_is_said_once_and_not_line_by_line(mount, capfd):
    path = mount("size=16k") / "log.txt"
    with run_log(path, lambda line: None):
        for _ in range(100):
            logging.getLogger("library").info("x" * 1000)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"{path} lacks ") and "No space left on device" in line
