"""The house: one name, floors and rooms that import downwards, models without TensorFlow.

Read, not run: what is checked are the import statements of all files.
"""

import ast
import functools
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("transform", "trainer", "components", "pipeline", "kubeflow")
#: What stands beside the rooms of a floor is named without its ending; lower ones come first.
ROOMS = {
    "transform": ("config", "contract", "columns", "analysis", "fields", "preprocessing"),
    "trainer": (
        *(
            "settings",
            "run_config",
            "task_tree",
            "presets",
            "layers",
            "parts",
            "networks",
            "model",
            "losses",
        ),
        *(
            "distribution",
            "examples",
            "optimization",
            "validation",
            "training",
            "serving",
            "pretrained",
            "warm_start",
            "repeats",
        ),
        "run_fn",
    ),
    "pipeline": (
        *("process", "notify", "tracking", "experiment", "log_sample", "preflight", "log_check"),
        *(
            "catalogue",
            "simulation",
            "graph",
            "run",
            "history",
            "replay",
            "trainings",
            "compare",
            "tune",
            "terminal",
            "versions",
        ),
        *("cleaning", "commands", "command_line"),
    ),
    "kubeflow": (
        *("task_outputs", "training_job", "page", "package", "task", "submission", "rehearsal"),
        *("commands", "command_line"),
    ),
}
MODEL_FOLDERS = ("layers", "parts", "networks", "losses")
#: Folders of one family, each file a member: they may have more than a dozen.
FAMILIES = {
    "benchmarks",
    "components/log_example_gen/readers",
    "components/slice_evaluation/metrics",
    "pipeline/commands",
    "trainer/networks",
}


@functools.cache
def _imports(path):
    """Full names of what a file imports, the imported names included: read once for all tests."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.extend(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _files(*folders):
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def _room(floor, path):
    return path.relative_to(ROOT / floor).with_suffix("").parts[0]


def test_nothing_is_imported_by_a_short_name():
    for path in _files(*FLOORS, "tests", "benchmarks"):
        for name in _imports(path):
            assert name.split(".")[0] not in FLOORS, f"{path}: {name}"


@pytest.mark.parametrize("floor", FLOORS)
def test_no_folder_imports_a_higher_one(floor):
    higher = {f"mtlx.{other}" for other in FLOORS[FLOORS.index(floor) + 1 :]}
    for path in _files(floor):
        for name in _imports(path):
            assert name.split(".")[0] not in ("tests", "benchmarks"), f"{path}: {name}"
            assert ".".join(name.split(".")[:2]) not in higher, f"{path}: {name}"


@pytest.mark.parametrize("floor", ROOMS)
def test_rooms_of_a_floor_import_one_way(floor):
    order = ROOMS[floor]
    for path in _files(floor):
        room = _room(floor, path)
        if room == "__init__":
            continue
        assert room in order, f"{path}: where does {room} stand among the rooms of {floor}?"
        for name in _imports(path):
            if name.startswith(f"mtlx.{floor}."):
                other = name.split(".")[2]
                assert order.index(other) <= order.index(room), f"{path}: {name}"


def test_no_folder_is_a_heap():
    loose = Counter(path.parent for path in _files(*FLOORS, "benchmarks"))
    heaps = {str(folder.relative_to(ROOT)) for folder, count in loose.items() if count > 13}
    assert heaps <= FAMILIES  # a dozen, and __init__.py


def test_models_import_no_tensorflow():
    paths = [ROOT / "trainer/model/ranking_model.py", ROOT / "trainer/task_tree.py"]
    paths += _files(*(f"trainer/{folder}" for folder in MODEL_FOLDERS))
    assert len(paths) > 100
    for path in paths:
        for name in _imports(path):
            assert name.split(".")[0] not in ("tensorflow", "tf_keras", "tfx"), f"{path}: {name}"


def test_nothing_imports_clients_of_a_cloud_through_tfx():
    """`tfx.v1` imports Google's, for three seconds in every process; its parts do not."""
    for path in _files(*FLOORS, "tests"):
        for name in _imports(path):
            assert name != "tfx.v1" and not name.startswith("tfx.v1."), f"{path} imports {name}"


def test_settings_import_nothing_heavy():
    heavy = ("tensorflow", "tfx", "apache_beam", "keras", "tensorflow_model_analysis", "matplotlib")
    paths = [*ROOT.glob("*/settings.py"), *ROOT.glob("components/*/settings.py")]
    paths += [ROOT / "transform/config/settings.py", ROOT / "pipeline/experiment/experiment.py"]
    assert len(paths) > 5
    for path in paths:
        for name in _imports(path):
            assert name.split(".")[0] not in heavy, f"{path}: {name}"
