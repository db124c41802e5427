"""What lies in a folder as a base model: SavedModels, versions of one, checkpoints, or nothing."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow_transform as tft

from mtlx.trainer.model.build_model import build_model
from mtlx.trainer.model.weight_names import weight_names
from mtlx.trainer.run_fn import drop_training_parts
from mtlx.trainer.serving.export import ServedModel
from mtlx.trainer.settings import ModelSettings, TrainingSettings
from mtlx.trainer.training.checkpoint import CheckpointFolder
from mtlx.trainer.warm_start.base_model import TRAINING_PARTS, BaseModel, BaseModelError
from mtlx.trainer.warm_start.beginning import Beginning
from mtlx.trainer.warm_start.write_base import describe_checkpoint, write_base
from mtlx.transform.analysis.model_inputs_builder import build_model_inputs
from tests.trainer.conftest import MODEL
from tests.trainer.warm_start.conftest import ITEMS

SETTINGS = ModelSettings.read(MODEL)


@pytest.fixture(scope="module")
def transformed(trained):
    return tft.TFTransformOutput(str(trained.transform_graph))


def test_a_saved_model(trained, contract, transformed):
    base = BaseModel(str(trained.model))
    assert base.record.contract == contract and base.record.model == SETTINGS
    assert sorted(value.decode() for value in base.vocabulary("item")) == sorted(ITEMS)
    inputs = build_model_inputs(contract, transformed)
    assert base.inputs == inputs
    shapes = [tuple(variable.shape) for variable in build_model(inputs, SETTINGS).variables]
    assert [value.shape for value in base.weights().values()] == shapes
    assert set(base.numbers()) == {"price", "age"}


def test_an_artifact_and_the_last_of_several_versions(trained, tmp_path):
    artifact = trained.model.parent
    assert BaseModel(str(artifact)).folder == str(trained.model)
    for version in ("9", "10"):
        (tmp_path / version).symlink_to(trained.model)
    assert BaseModel(str(tmp_path)).folder == str(tmp_path / "10")


def test_the_checkpoint_of_an_interrupted_training(contract, transformed, tmp_path):
    checkpoints = CheckpointFolder(str(tmp_path), "digest")
    model = build_model(build_model_inputs(contract, transformed), SETTINGS)
    values = [np.array(variable) for variable in model.variables]
    describe_checkpoint(checkpoints.folder, contract, SETTINGS, transformed)
    checkpoints.save({"model": [0 * value for value in values], "best": []}, {})
    assert not any(np.any(value) for value in BaseModel(checkpoints.folder).weights().values())
    checkpoints.save({"model": [0 * value for value in values], "best": values}, {})
    base = BaseModel(checkpoints.folder)
    for value, expected in zip(base.weights().values(), values, strict=True):
        np.testing.assert_array_equal(value, expected)
    assert len(base.vocabulary("item")) == 12 and base.state() == {}


def test_parts_that_only_the_training_needs_come_along(contract, transformed, tmp_path):
    """The exported model does without the small heads; a training that begins with it has them."""
    settings = ModelSettings(network="small_heads", embedding_size=4)
    model = build_model(build_model_inputs(contract, transformed), settings)
    names = weight_names(model.variables)
    values = {name: np.array(v) for name, v in zip(names, model.variables, strict=True)}
    kept, dropped = drop_training_parts(model, names)
    assert dropped and not set(kept) & set(dropped) and {*kept, *dropped} == set(names)
    ServedModel(model, transformed, contract).save(str(tmp_path))
    state = {TRAINING_PARTS: dropped, "loss": {"log_sigma": np.ones(2)}}
    write_base(str(tmp_path), contract, settings, transformed, kept, state)
    base = BaseModel(str(tmp_path))
    found = base.weights()
    assert set(found) == set(values)
    for name, value in found.items():
        np.testing.assert_array_equal(value, values[name], err_msg=name)
    assert list(base.state("loss")) == ["loss"] and set(base.state()) == {TRAINING_PARTS, "loss"}


def test_nothing_to_begin_with(trained, tmp_path):
    with pytest.raises(
        BaseModelError, match="gone/Format-Serving is gone|gone is gone: it was del"
    ):
        BaseModel(str(tmp_path / "gone" / "Format-Serving"))
    with pytest.raises(BaseModelError, match="neither a SavedModel, nor versions of one"):
        BaseModel(str(tmp_path))
    copy = tmp_path / "copy"
    shutil.copytree(trained.model, copy)
    (copy / "assets" / "item_vocabulary").unlink()
    with pytest.raises(BaseModelError, match="not kept whole: assets/item_vocabulary is gone"):
        BaseModel(str(copy)).vocabulary("item")
    (copy / "assets.extra" / "mtlx" / "base_model.json").write_text("{}")
    with pytest.raises(BaseModelError, match="no record of a base model of this release"):
        BaseModel(str(copy))
    shutil.rmtree(copy / "assets.extra" / "mtlx")
    with pytest.raises(BaseModelError, match="exported by an older release, or elsewhere"):
        BaseModel(str(copy))


@pytest.fixture
def beginning(contract, transformed):
    def function(base=None, **training):
        return Beginning.of(
            SimpleNamespace(base_model=base),
            contract,
            SETTINGS,
            TrainingSettings.read(training),
            transformed,
            build_model_inputs(contract, transformed),
        )

    return function


def test_a_base_model_that_was_deleted_is_one_clear_line(beginning, tmp_path):
    gone = str(tmp_path / "7")
    with pytest.raises(BaseModelError) as caught:
        beginning(gone, warm_start="latest_blessed")
    assert str(caught.value) == (
        f"training.warm_start: the base model {gone} is gone: it was deleted, or moved. Name "
        "another one, or train from the start: set warm_start.otherwise to initial"
    )
    asked = {"from": "latest_blessed", "otherwise": "initial"}
    begun = beginning(gone, warm_start=asked)
    assert begun.start is None
    assert begun.notes == [
        f"Trained from the start: the base model {gone} is gone: it was deleted, or moved."
    ]
    with pytest.raises(BaseModelError, match="is gone"):  # or random weights would be exported
        beginning(gone, warm_start=asked, epochs=0)


def test_before_the_first_model_is_blessed(beginning):
    begun = beginning(warm_start="latest_blessed")
    assert begun.start is None and begun.folder is None
    assert begun.notes[0].startswith("Trained from the start: no model was blessed before")
    with pytest.raises(BaseModelError, match="train for an epoch at least"):
        beginning(warm_start="latest_blessed", epochs=0)


def test_a_folder_of_the_experiment_goes_before_the_latest_blessed(beginning, trained):
    begun = beginning("/nowhere", warm_start=str(trained.model))
    assert begun.folder == str(trained.model) and begun.start is not None
    assert beginning(str(trained.model)).start is None  # which nobody asked for
