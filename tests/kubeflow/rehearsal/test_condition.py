"""Trigger conditions, as kfp compiles them."""

import pytest

from mtlx.kubeflow.rehearsal.condition import UnknownCondition, holds

GATE = "inputs.parameter_values['pipelinechannel--gate-blessed']"
INPUTS = {"pipelinechannel--gate-blessed": True, "rows": 3.0, "name": "a && !b"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        (f"{GATE} == true", True),
        (f"{GATE} == false", False),
        (f"!({GATE} == true)", False),
        (f"{GATE} != true || inputs.parameter_values['rows'] >= 3", True),
        (f"{GATE} == true && inputs.parameter_values['rows'] < 3", False),
        ("inputs.parameter_values['name'] == 'a && !b'", True),
        ("inputs.parameter_values['name'] != 'true'", True),
    ],
)
def test_conditions(condition, expected):
    assert holds(condition, INPUTS) is expected


@pytest.mark.parametrize(
    "condition",
    [
        "size(inputs.parameter_values) > 0",
        "inputs.parameter_values['rows'] ==",
        "inputs.parameter_values['rows'] == true",
        "inputs.artifacts['x'] == 1",
    ],
)
def test_what_is_not_known_is_refused(condition):
    with pytest.raises(UnknownCondition, match="not understood"):
        holds(condition, INPUTS)


def test_an_input_that_is_missing_is_an_error():
    with pytest.raises(KeyError, match="absent"):
        holds("inputs.parameter_values['absent'] == 1", INPUTS)
