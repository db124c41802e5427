"""CGC is PLE with one level, whose equations test_networks.py holds."""

import keras
import numpy as np

from mtlx.trainer.networks import NETWORKS
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

TASKS = (TaskSpec("click", "click"), TaskSpec("buy", "buy", "click"))
FIELDS = np.random.RandomState(0).randn(6, 4, 3).astype("float32")
OPTIONS = {"task_experts": 2, "shared_experts": 3, "expert_hidden": [6, 5], "tower_hidden": [4]}


def _outputs(name, options):
    keras.utils.set_random_seed(1)
    inputs = ModelInputs((CategoricalInput("item", 9),), (), (), "item", ("all",), TASKS)
    network = NETWORKS.build(name, {**OPTIONS, **options}, inputs)
    return network, network(FIELDS, np.ones((6, 3), "int64"), np.zeros(6, "int64"))


def test_is_ple_with_one_level():
    cgc, actual = _outputs("cgc", {})
    ple, expected = _outputs("ple", {"levels": 1})
    two, other = _outputs("ple", {"levels": 2})
    assert actual.keys() == expected.keys() and cgc.gate_names == ple.gate_names
    for name, values in actual.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-6)
    assert cgc.count_params() == ple.count_params() < two.count_params()
    assert "levels" not in NETWORKS.options("cgc")
    assert np.abs(np.asarray(actual["logits"]) - np.asarray(other["logits"])).max() > 1e-3
