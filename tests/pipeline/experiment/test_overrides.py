"""Overrides: what they say, and where they put it."""

import copy

import pytest

from mtlx.pipeline.experiment.overrides import OverrideError, parse_override, put

SECTIONS = ("training", "model", "gate")


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("training.epochs=3", ("training", "epochs"), 3),
        ("training.epochs=", ("training", "epochs"), None),
        ("model.network=dtn", ("model", "network"), "dtn"),
        ("model={network: ple, options: {experts: 2}}", ("model",),
         {"network": "ple", "options": {"experts": 2}}),
        # Only the first equals sign is not the value's.
        ("model.name='a=b'", ("model", "name"), "a=b"),
        ("gate.thresholds.0.minimum=-1.5", ("gate", "thresholds", "0", "minimum"), -1.5),
    ],
)  # fmt: skip
def test_an_override_is_a_path_and_yaml(text, path, value):
    assert parse_override(text, SECTIONS) == (path, value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training.epochs", "expected section.key=value"),
        ("=3", "expected section.key=value"),
        ("training..epochs=3", "expected section.key=value"),
        ("training. =3", "expected section.key=value"),
        ("trainig.epochs=3", "unknown section 'trainig', did you mean 'training'"),
        ("model.options={a: 1", "the value '{a: 1' is wrong"),
    ],
)
def test_wrong_ones_say_how(text, message):
    with pytest.raises(OverrideError, match=message):
        parse_override(text, SECTIONS)


VALUES = {"training": {"epochs": 1}, "gate": {"thresholds": [{"rule": "auc"}, {"rule": "relaimp"}]}}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("training", "epochs"), 3, {**VALUES, "training": {"epochs": 3}}),
        (("training",), {}, {**VALUES, "training": {}}),
        (("model", "options", "experts"), 2, {**VALUES, "model": {"options": {"experts": 2}}}),
        (
            ("gate", "thresholds", "1", "minimum"),
            0.5,
            {
                **VALUES,
                "gate": {"thresholds": [{"rule": "auc"}, {"rule": "relaimp", "minimum": 0.5}]},
            },
        ),
        (
            ("gate", "thresholds", "0"),
            None,
            {**VALUES, "gate": {"thresholds": [None, {"rule": "relaimp"}]}},
        ),
    ],
)
def test_a_value_is_put_there_and_what_others_hold_is_not_changed(path, value, expected):
    values, before = dict(VALUES), copy.deepcopy(VALUES)
    put(values, path, value)
    assert values == expected
    # `values` shares its sections with VALUES: they were copied on the way.
    assert before == VALUES


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("training", "epochs", "x"), "'epochs' has no settings below it"),
        (
            ("gate", "thresholds", "2", "minimum"),
            "gate.thresholds is a list of 2: .* Received: '2'",
        ),
        (("gate", "thresholds", "-1"), "is a list of 2: name an entry by its number from 0 on"),
        (("gate", "thresholds", "first"), "Received: 'first'"),
        (("gate", "thresholds", "٣"), "Received: '٣'"),
    ],
)
def test_what_is_not_there_is_named(path, message):
    with pytest.raises(OverrideError, match=message):
        put(copy.deepcopy(VALUES), path, 1)
