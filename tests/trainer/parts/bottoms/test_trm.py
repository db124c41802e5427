import numpy as np
import pytest

from mtlx.trainer.parts.bottoms import BOTTOMS
from mtlx.transform.contract.model_inputs import ModelInputs, TaskSpec

TASKS = tuple(TaskSpec(name, name) for name in ("click", "like", "buy"))
FIELDS = np.random.RandomState(0).randn(4, 2, 3)


@pytest.mark.parametrize("interests", ["shared", "own", "none"])
def test_every_task_refines_its_own_input(interests):
    random = np.random.RandomState(1)
    shapes = {"shared": (4, 2, 3), "own": (4, 3, 2, 3)}
    given = None if interests == "none" else random.randn(*shapes[interests])
    bottom = BOTTOMS.build("trm", {"hidden": 5}, ModelInputs((), (), (), None, ("all",), TASKS))
    arguments = [None if value is None else value.astype("float32") for value in (FIELDS, given)]
    bottom(*arguments)
    for index, weight in enumerate(bottom.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape))
    outputs = np.asarray(bottom(*arguments))
    assert outputs.shape == (4, 3, 1, 6 if given is None else 12)
    inner, outer = bottom.refinement.inner, bottom.refinement.outer
    for row in range(4):
        for task in range(3):
            raw = FIELDS[row].ravel()
            if given is not None:
                own = given[row] if interests == "shared" else given[row, task]
                raw = np.concatenate([raw, own.ravel()])
            hidden = raw @ np.asarray(inner.kernel, "float64")[task] + np.asarray(inner.bias)[task]
            scores = np.maximum(hidden, 0) @ np.asarray(outer.kernel, "float64")[task]
            refine = 1 / (1 + np.exp(-(scores + np.asarray(outer.bias)[task])))
            np.testing.assert_allclose(outputs[row, task, 0], raw * refine, rtol=1e-4, atol=1e-5)
