"""Lower folders never import higher ones, and models import no TensorFlow (read, not run)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("transform", "trainer", "components", "pipeline", "kubeflow")
MODEL_FOLDERS = ("layers", "networks", "interactions", "sequence_encoders", "losses")


def _imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def _files(*folders):
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("floor", FLOORS)
def test_no_folder_imports_a_higher_one(floor):
    higher = FLOORS[FLOORS.index(floor) + 1 :]
    for path in _files(floor):
        for name in _imports(path):
            assert name.split(".")[0] not in (*higher, "tests", "benchmarks"), f"{path}: {name}"


def test_models_import_no_tensorflow():
    paths = [ROOT / "trainer" / "ranking_model.py"]
    paths += _files(*(f"trainer/{folder}" for folder in MODEL_FOLDERS))
    assert len(paths) > len(MODEL_FOLDERS)
    for path in paths:
        for name in _imports(path):
            assert name.split(".")[0] not in ("tensorflow", "tf_keras", "tfx"), f"{path}: {name}"


def test_settings_import_nothing_heavy():
    heavy = ("tensorflow", "tfx", "apache_beam", "keras", "tensorflow_model_analysis", "matplotlib")
    for path in [*ROOT.glob("*/settings.py"), *ROOT.glob("components/*/settings.py")]:
        for name in _imports(path):
            assert name.split(".")[0] not in heavy, f"{path}: {name}"
