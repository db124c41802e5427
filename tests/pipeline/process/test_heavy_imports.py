import gc
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path

import pytest

from mtlx.pipeline.process.heavy_imports import heavy_imports


def test_the_collector_rests_inside_and_works_after():
    with heavy_imports():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), heavy_imports():
        raise ImportError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with heavy_imports():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


class _Circle:
    def __init__(self):
        self.itself = self


def test_what_lives_while_nothing_is_imported_can_be_collected_later():
    circle = _Circle()
    with heavy_imports():
        pass
    left = weakref.ref(circle)
    del circle
    gc.collect()
    assert left() is None


def test_what_was_imported_is_not_looked_through_again(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    before = gc.get_freeze_count()
    with heavy_imports():
        import colorsys  # noqa: F401
    assert gc.get_freeze_count() > before


def _run(code):
    """What a process says that imports with this code inside of `heavy_imports`."""
    script = f"""
import logging, os, sys
from pathlib import Path
from mtlx.pipeline.process.heavy_imports import heavy_imports
from mtlx.pipeline.process.run_log import run_log
with heavy_imports():
{textwrap.indent(textwrap.dedent(code), "    ")}
logging.getLogger("kept").warning("after")
with run_log(Path("log.txt"), print):
    pass
print(Path("log.txt").read_text())
os.write(2, b"native afterwards\\n")
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.chdir(tmp_path)


def test_what_native_code_writes_goes_to_the_log(elsewhere):
    done = _run(
        """
        os.write(2, b"greeting\\n")
        print("from Python", file=sys.stderr)
        logging.getLogger("kept").addHandler(logging.StreamHandler(sys.stderr))
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["from Python", "after", "native afterwards"]
    assert "INFO native native:0 greeting" in done.stdout


def test_a_failed_import_shows_what_was_written(elsewhere):
    done = _run("""os.write(2, b"cannot load\\n"); raise ImportError("broken")""")
    assert done.returncode == 1
    assert "cannot load" in done.stderr and "ImportError: broken" in done.stderr


def test_a_crash_is_traced(elsewhere):
    done = _run("""os.write(2, b"greeting\\n"); os.abort()""")
    assert "Fatal Python error: Aborted" in done.stderr


def test_tensorflow_says_nothing_on_the_terminal(elsewhere):
    done = _run("import tensorflow")
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["after", "native afterwards"]
