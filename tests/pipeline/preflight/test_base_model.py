"""A base model's folder is looked into before TensorFlow is loaded."""

from mtlx.pipeline.preflight.base_model import base_model_problem
from mtlx.trainer.warm_start.base_files import CHECKPOINT_FILE, FOLDER, RECORD_FILE


def _saved_model(folder, record=True):
    (folder / FOLDER).mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    if record:
        (folder / FOLDER / RECORD_FILE).touch()
    return folder


def test_a_saved_model_versions_of_one_and_a_checkpoint(tmp_path):
    assert base_model_problem(str(_saved_model(tmp_path / "one"))) is None
    _saved_model(tmp_path / "several" / "9", record=False)
    _saved_model(tmp_path / "several" / "10")
    assert base_model_problem(str(tmp_path / "several")) is None
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / CHECKPOINT_FILE).touch()
    (checkpoint / RECORD_FILE).touch()
    assert base_model_problem(str(checkpoint)) is None


def test_what_is_none_is_named(tmp_path):
    assert "is no folder; give that of a SavedModel" in base_model_problem(str(tmp_path / "none"))
    assert "neither a SavedModel, nor versions" in base_model_problem(str(tmp_path))
    model = _saved_model(tmp_path / "9", record=False)
    for folder in (model, tmp_path):
        problem = base_model_problem(str(folder))
        assert problem.startswith(f"the model in {model} has no {RECORD_FILE}: ")
