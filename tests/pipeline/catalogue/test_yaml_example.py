"""YAML to paste: short, in one style, and read back as what it stands for."""

import pytest
import yaml

from mtlx.pipeline.catalogue.yaml_example import yaml_example, yaml_line
from mtlx.trainer.settings import SelectionSettings
from mtlx.transform.config.registry import Registry


class Plain:
    """Without options."""


class Many:
    """With all that a default can be."""

    def __init__(
        self,
        context: object,
        *,
        minimum: float,
        sizes: tuple[int, ...] = (256, 128),
        names: list[str] | None = None,
        nested: dict[str, list[int]] = {"a": [1, 2]},  # noqa: B006
        nothing: dict[str, int] = {},  # noqa: B006
        units: int = 8,
        text: str = "größe: x",
    ) -> None:
        """Takes them."""


@pytest.fixture
def registry():
    return Registry("thing", {"plain": f"{__name__}:Plain", "many": f"{__name__}:Many"})


OPTIONS = {
    "minimum": 0.6,
    "sizes": [256, 128],
    "names": None,
    "nested": {"a": [1, 2]},
    "nothing": {},
    "units": 8,
    "text": "größe: x",
}


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("data.reader", ("data", "options")),
        ("model.network", ("model", "options")),
        ("model.sequence_encoder", ("model", "sequence_options")),
        ("model.bottom", ("model", "bottom_options")),
        ("training.method", ("training", "method_options")),
        ("training.loss", ("training", "loss", 0, "options")),
        ("training.schedule", ("training", "schedule", "options")),
    ],
)
def test_options_stand_where_the_setting_takes_them(registry, setting, place):
    values = yaml.safe_load(yaml_example(setting, registry, "many"))
    for key in place:
        values = values[key]
    assert values == OPTIONS
    plain = yaml.safe_load(yaml_example(setting, registry, "plain"))
    for key in place[:-1]:
        plain = plain[key]
    assert place[-1] not in plain and "plain" in plain.values()


def test_options_of_a_rule_stand_beside_it(registry):
    (threshold,) = yaml.safe_load(yaml_example("gate.thresholds.rule", registry, "many"))["gate"][
        "thresholds"
    ]
    assert threshold == {"rule": "many", "task": "*", "slice": "overall", **OPTIONS}


def test_units_of_an_interaction_are_the_network_s(registry):
    values = yaml.safe_load(yaml_example("interactions (of a network)", registry, "many"))
    own = values["model"]["options"]["interaction"]
    assert own["name"] == "many" and set(own["options"]) == set(OPTIONS) - {"units"}


def test_lists_of_scalars_are_one_line_and_mappings_are_not(registry):
    text = yaml_example("model.network", registry, "many")
    assert "    sizes: [256, 128]\n" in text
    assert "    nothing: {}\n" in text
    assert "    nested:\n      a: [1, 2]\n" in text
    assert "größe" in text and "&id" not in text


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        (0.5, "0.5"),
        ("text", "text"),
        ("null", "'null'"),
        ("größe", "größe"),
        ([1, 2], "[1, 2]"),
        ((), "[]"),
        ({"a": [None]}, "{a: [null]}"),
        ("x" * 300, "x" * 300),
        # Of settings, what differs from their defaults.
        (SelectionSettings(), "{}"),
        (SelectionSettings(metric="log_loss"), "{metric: log_loss}"),
    ],
)
def test_a_value_in_one_line(value, line):
    assert yaml_line(value) == line
