import numpy as np

from mtlx.trainer.parts.sequence_encoders import SEQUENCE_ENCODERS
from mtlx.transform.contract.model_inputs import ModelInputs, SequenceInput


def _inputs(*names):
    return ModelInputs((), (), tuple(SequenceInput(n, "item", 3) for n in names), None, ("a",), ())


def test_one_mean_per_sequence():
    values = {name: np.random.RandomState(i).randn(2, 3, 4) for i, name in enumerate("ab")}
    masks = {
        "a": np.asarray([[True, False, False], [True, True, True]]),
        "b": np.asarray([[False] * 3, [True, True, False]]),
    }
    encoder = SEQUENCE_ENCODERS.build("mean_pooling", {}, _inputs("a", "b"))
    interests = np.asarray(encoder(values, masks, None))
    assert interests.shape == (2, 2, 4)
    np.testing.assert_allclose(interests[0, 0], values["a"][0, 0], rtol=1e-5)
    np.testing.assert_allclose(interests[1, 0], values["a"][1].mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(interests[0, 1], np.zeros(4))
    np.testing.assert_allclose(interests[1, 1], values["b"][1, :2].mean(axis=0), rtol=1e-5)


def test_none_leaves_sequences_out():
    encoder = SEQUENCE_ENCODERS.build("none", {}, _inputs("a"))
    mask = np.ones((2, 3), bool)
    assert encoder({"a": np.zeros((2, 3, 4))}, {"a": mask}, None) is None
