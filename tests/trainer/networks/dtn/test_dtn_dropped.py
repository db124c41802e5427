"""DTN without some of its modules, against the whole one."""

import keras
import numpy as np
import pytest

from mtlx.trainer.networks import NETWORKS
from mtlx.trainer.networks.dtn.dtn_weights import take_weights
from mtlx.transform.config.settings import SettingsError
from mtlx.transform.contract.model_inputs import CategoricalInput, ModelInputs, TaskSpec

FIELDS = np.random.RandomState(0).randn(5, 3, 4).astype("float32")
IDS = np.random.RandomState(1).randint(1, 9, (5, 3))
DOMAINS = np.zeros(5, "int64")
INPUTS = ModelInputs(
    tuple(CategoricalInput(name, 9) for name in ("user", "item", "city")),
    (),
    (),
    None,
    ("all",),
    (TaskSpec("click", "click"), TaskSpec("cart", "cart", "click"), TaskSpec("buy", "buy", "cart")),
)
OPTIONS = {
    "units": 5,
    "tower_hidden": [4],
    "interactions": [
        {"name": "gdcn", "options": {"rank": 2}},
        {"name": "memonet", "options": {"codewords": 11, "hcnets": 2, "restore": "amr"}},
        {"name": "masknet", "options": {"aggregation": 4}},
        {"name": "senet"},
        {"name": "dcn_m"},
    ],
}
DROPPED = {
    "click": ["click/gdcn", "shared/memonet", "shared/dcn_m"],
    "cart": ["click/memonet", "click/gdcn", "shared/dcn_m", "cart/masknet"],
    "buy": ["cart/masknet", "cart/senet", "shared/dcn_m", "buy/memonet", "buy/dcn_m"],
}
#: What no gate reads any more: cart/senet still is read by cart's own gate.
UNREAD = {"click/gdcn", "shared/dcn_m", "cart/masknet", "buy/memonet", "buy/dcn_m"}


def _build(**options):
    keras.utils.set_random_seed(1)
    network = NETWORKS.build("dtn", {**OPTIONS, **options}, INPUTS)
    network(FIELDS, IDS, DOMAINS)
    for index, weight in enumerate(network.weights):
        weight.assign(np.random.RandomState(index).randn(*weight.shape) * 0.3)
    return network


def _outputs(network):
    outputs = network(FIELDS, IDS, DOMAINS)
    return {name: np.asarray(values) for name, values in outputs.items()}


@pytest.mark.parametrize("dropped", [DROPPED, {}])
def test_the_trimmed_network_is_the_whole_one_with_gates_that_shut_modules_out(dropped):
    whole = _build()
    # In the whole network, a score of -1e9 for what is dropped.
    bias = np.asarray(whole.gate.bias).copy()
    for column, (gate, module) in enumerate(zip(*np.nonzero(whole.visible), strict=True)):
        if whole.names[module] in dropped.get(INPUTS.tasks[gate % 3].name, []):
            bias[column] = -1e9
    trimmed = _build(dropped=dropped)
    take_weights(whole, trimmed)
    whole.gate.bias.assign(bias)
    expected, outputs = _outputs(whole), _outputs(trimmed)
    np.testing.assert_allclose(outputs["logits"], expected["logits"], rtol=1e-4, atol=1e-4)
    for task, names in trimmed.gate_names.items():
        assert not set(names) & set(dropped.get(task, []))
        places = [whole.gate_names[task].index(name) for name in names]
        gates = expected[f"gates/{task}"]
        np.testing.assert_allclose(outputs[f"gates/{task}"], gates[:, places], atol=1e-5)
        np.testing.assert_allclose(outputs[f"gates/{task}"].sum(1), 2, atol=1e-5)


def test_modules_without_a_reader_cost_nothing():
    whole, trimmed = _build(), _build(dropped=DROPPED)
    assert set(whole.names) - set(trimmed.names) == UNREAD
    sizes = {}
    for name, module in zip(
        ("gdcn", "memonet", "masknet", "senet", "dcn_m"), whole.modules, strict=True
    ):
        sizes[name] = module.count_params() // 4
    saved = sum(sizes[name.split("/")[1]] for name in UNREAD)
    columns = sum(len(names) for names in DROPPED.values())
    gate = columns * (FIELDS[0].size + 1)
    assert whole.count_params() - trimmed.count_params() == saved + gate


def test_a_kind_that_no_gate_reads_is_not_built():
    everywhere = {
        task.name: [name for name in names if name.endswith("memonet")]
        for task, names in zip(INPUTS.tasks, _build().gate_names.values(), strict=True)
    }
    network = _build(dropped=everywhere)
    assert len(network.modules) == 4 and not any("memonet" in name for name in network.names)
    whole = _build()
    take_weights(whole, network)
    assert np.isfinite(_outputs(network)["logits"]).all()


def test_dropping_all_of_the_preceding_task_leaves_the_shared_ones():
    names = ["gdcn", "memonet", "masknet", "senet", "dcn_m"]
    dropped = {
        "cart": [f"click/{name}" for name in names],
        "buy": [f"cart/{name}" for name in names],
    }
    network = _build(dropped=dropped)
    assert network.gate_names["buy"] == [
        f"{group}/{n}" for group in ("shared", "buy") for n in names
    ]
    assert np.isfinite(_outputs(network)["logits"]).all()


@pytest.mark.parametrize(
    ("dropped", "message"),
    [
        ({"clik": ["click/gdcn"]}, "unknown task 'clik', did you mean 'click'"),
        ({"click": ["buy/gdcn"]}, "task 'click' sees no module 'buy/gdcn'"),
        ({"buy": ["click/gdcn"]}, "task 'buy' sees no module 'click/gdcn'"),
        (
            {"click": [f"click/{n}" for n in ("gdcn", "memonet", "masknet", "senet", "dcn_m")]},
            "gate of task 'click' would see no module",
        ),
    ],
)
def test_refuses(dropped, message):
    with pytest.raises(SettingsError, match=message):
        _build(dropped=dropped)
