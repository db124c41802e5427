import numpy as np
import pytest

from mtlx.trainer.losses import LOSSES
from mtlx.transform.contract.model_inputs import TaskSpec

TASKS = (
    TaskSpec("click", "c"),
    TaskSpec("buy", "b", "click", "click"),
    TaskSpec("like", "l", "click"),
    TaskSpec("review", "r", "buy", "buy"),
)
RANDOM = np.random.RandomState(0)
LABELS = RANDOM.randint(0, 2, (50, 4)).astype("float32")
JOINT = RANDOM.rand(50, 4).astype("float32")


def _loss(labels=LABELS, joint=JOINT, mask=None):
    loss = LOSSES.build("entire_space_cross_entropy", {}, TASKS)
    mask = np.ones_like(labels) if mask is None else mask
    return np.asarray(loss(labels, {"joint_probabilities": joint}, mask))


def test_is_the_cross_entropy_of_all_that_lies_on_the_path():
    paths = [[0], [0, 1], [0, 2], [0, 1, 3]]
    for task, path in enumerate(paths):
        total = 0.0
        for row in range(50):
            happened = all(LABELS[row, step] == 1 for step in path)
            total -= np.log(JOINT[row, task] if happened else 1 - JOINT[row, task])
        np.testing.assert_allclose(_loss()[task], total / 50, rtol=1e-5)


def test_ignores_the_population():
    np.testing.assert_array_equal(_loss(mask=np.zeros_like(LABELS)), _loss())


def test_extreme_probabilities_stay_finite():
    assert np.isfinite(_loss(joint=np.round(JOINT))).all()


def test_says_which_network_it_needs():
    loss = LOSSES.build("entire_space_cross_entropy", {}, TASKS)
    with pytest.raises(ValueError, match="esmm"):
        loss(LABELS, {"logits": JOINT}, LABELS)
