"""CONTRIBUTING's worked example is a network that keeps what every network promises."""

import importlib.util
import pathlib
import re
import sys
import textwrap

import pytest

from mtlx.trainer.networks import NETWORKS
from tests.trainer import test_contract as contract

TEXT = (pathlib.Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = [
    textwrap.dedent(block) for block in re.findall(r"^ *```python\n(.*?)^ *```", TEXT, re.S | re.M)
]


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Registers the network as the text says, from a file in the place that the text names."""
    (name, target) = re.search(r'^ *"(\w+)": "([\w.:]+)",$', TEXT, re.M).groups()
    module, _, class_name = target.partition(":")
    file = tmp_path_factory.mktemp("contributed") / f"{name}.py"
    file.write_text(BLOCKS[0], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(module, file)
    made = sys.modules[module] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    assert getattr(made, class_name).__name__ == class_name
    NETWORKS.register(name, target)
    yield name
    del sys.modules[module], NETWORKS._members[name]


@pytest.mark.parametrize(
    "promise",
    [
        contract.test_names_shapes_and_ranges_of_outputs,
        contract.test_gradient_reaches_every_weight,
        contract.test_a_row_does_not_depend_on_other_rows,
        contract.test_one_domain_one_task_and_no_sequences_work,
    ],
)
def test_the_example_keeps_the_contract(network, promise):
    promise((network, "mean_pooling", "none", "joint"))


def test_the_example_is_saved_and_learns(network, tmp_path):
    contract.test_saved_weights_give_the_same_output(
        (network, "mean_pooling", "none", "joint"), tmp_path
    )
    contract.test_learns_a_planted_signal(network)


def test_the_example_s_own_test_passes_and_can_fail(network):
    code = BLOCKS[1]
    names = {}
    exec(compile(code, "CONTRIBUTING.md", "exec"), names)
    names["test_equals_the_equation"]()
    wrong = {}
    exec(compile(code.replace("+ deep", "- deep"), "CONTRIBUTING.md", "exec"), wrong)
    with pytest.raises(AssertionError, match="Not equal"):
        wrong["test_equals_the_equation"]()


def test_the_commands_and_files_that_it_names_exist():
    root = pathlib.Path(__file__).parents[1]
    for path in re.findall(r"`((?:trainer|tests|benchmarks|docs)/[\w/]+\.\w+)`", TEXT):
        assert (root / path).exists() or "wide_and_deep" in path, path
    for path in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (root / path).exists(), path
