import os

import numpy as np
import pytest

from mtlx.trainer.training.checkpoint import CheckpointFolder, training_digest


@pytest.fixture
def folder(tmp_path):
    return CheckpointFolder(str(tmp_path), "digest")


def test_what_was_saved_last_comes_back(folder):
    assert folder.load() is None
    folder.save({"model": [np.zeros(2)]}, {"step": 1})
    weights = [np.arange(i + 1, dtype="float32") for i in range(12)]
    folder.save({"model": weights, "seed": [np.array([1, 2], "uint32")], "best": []}, {"step": 2})
    arrays, state = folder.load()
    assert state == {"step": 2}
    assert set(arrays) == {"model", "seed"}
    assert arrays["seed"][0].dtype == np.uint32
    for loaded, saved in zip(arrays["model"], weights, strict=True):
        np.testing.assert_array_equal(loaded, saved)


def test_an_interrupted_write_leaves_the_last_checkpoint(folder, tmp_path, monkeypatch):
    folder.save({"model": [np.ones(3)]}, {"step": 1})

    def fail(*arguments, **options):
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("mtlx.trainer.training.checkpoint.tf.io.gfile.rename", fail)
        with pytest.raises(OSError, match="no space"):
            folder.save({"model": [np.zeros(3)]}, {"step": 2})
    arrays, state = folder.load()
    assert state == {"step": 1} and arrays["model"][0].sum() == 3


@pytest.mark.parametrize("length", [0, 40, 300])
def test_a_damaged_checkpoint_counts_as_none(folder, tmp_path, length):
    folder.save({"model": [np.ones(3)]}, {"step": 1})
    path = tmp_path / "digest" / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:length])
    assert folder.load() is None


def test_remove_leaves_nothing_of_this_training_only(folder, tmp_path):
    other = CheckpointFolder(str(tmp_path), "other")
    for each in (folder, other):
        each.save({"model": [np.ones(3)]}, {})
    folder.remove()
    folder.remove()
    assert os.listdir(tmp_path) == ["other"]
    assert folder.load() is None and other.load() is not None


def test_digest_tells_settings_and_inputs_apart():
    digest = training_digest("settings", "uri/1", "uri/2")
    assert digest == training_digest("settings", "uri/1", "uri/2")
    others = [("settings", "uri/1uri/2"), ("settings", "uri/2", "uri/1"), ("other", "uri/1")]
    assert digest not in {training_digest(*parts) for parts in others}
