"""The process has TensorFlow and what that needs, and nothing of TFX or of this project."""

import json
import subprocess

from mtlx.components.serving_check.process.isolated_python import isolated_python

#: Tries to import what it is told; prints which could be.
TRIES = """
import importlib, json, sys, sysconfig
sysconfig.get_config_vars()  # reads a module whose name says for which platform Python was built
found = []
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
        found.append(name)
    except ModuleNotFoundError as error:
        assert error.name == name.split(".")[0], error
print(json.dumps(found))
"""
REFUSED = [
    "mtlx", "mtlx.trainer.serving.export", "tests", "tfx", "tfx_bsl", "tensorflow_transform",
    "tensorflow_data_validation", "tensorflow_model_analysis", "tensorflow_serving",
    "apache_beam", "ml_metadata", "pandas", "pyarrow", "pydantic", "kfp", "keras",
]  # fmt: skip


def test_only_the_standard_library_and_what_tensorflow_needs_can_be_imported(tmp_path, monkeypatch):
    script = tmp_path / "tries.py"
    script.write_text(TRIES, encoding="utf-8")
    # A folder that every Python on this machine would look into.
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "mtlx.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    known = ["numpy", "google.protobuf", "json", "h5py"]
    command = isolated_python(str(script), *REFUSED, *known)
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout) == known


def test_all_that_is_refused_could_be_imported_here():
    """Else the test above would not tell a process that is shut off from one that is not."""
    import importlib.util

    assert all(importlib.util.find_spec(name.split(".")[0]) for name in REFUSED)
