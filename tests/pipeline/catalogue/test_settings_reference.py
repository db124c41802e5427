"""The reference of settings: whole, found by path or name, and the page as it stands in docs."""

from pathlib import Path

import pytest

from mtlx.components.relaimp_gate.rules.relaimp import RelaImpRule
from mtlx.pipeline.catalogue.settings_reference import (
    as_markdown,
    as_text,
    find_settings,
    settings_reference,
)
from mtlx.pipeline.command_line import main
from mtlx.pipeline.experiment.experiment import Experiment
from mtlx.transform.config.settings import SettingsError

REFERENCE = settings_reference()


def test_every_setting_is_explained():
    assert [entry.path for entry in REFERENCE if not entry.text.strip()] == []


def test_every_section_of_an_experiment_is_there():
    paths = {entry.path for entry in REFERENCE}
    assert set(Experiment.model_fields) <= paths
    # One of a list's items, of a variant, of a rule's options.
    assert "gate.thresholds[].slice" in paths
    assert "data.split (by: time).test_from" in paths
    assert "features.NAME (kind: numeric).transform" in paths


def test_bound_says_what_each_of_its_values_does():
    found = {entry.path: entry for entry in find_settings("bound")}
    entry = found["gate.thresholds[] (rule: relaimp).bound"]
    assert entry.type == "'lower' or 'point' or 'upper'"
    assert entry.default == "lower"
    for words in ("proven gain", "proven", "disregards"):
        assert words in entry.text and words in (RelaImpRule.__doc__ or "")


def test_a_path_gives_all_below_it_and_nothing_beside():
    found = [entry.path for entry in find_settings("training")]
    assert found[0] == "training" and "training.loss[].name" in found
    assert all(path.startswith("training") for path in found)


def test_defaults_are_those_of_the_classes():
    (entry,) = find_settings("training.batch_size")
    assert (entry.type, entry.default) == ("int", "2048")
    (entry,) = find_settings("data.path")
    assert entry.default is None  # required


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(SettingsError, match="did you mean 'gate'"):
        find_settings("gatee")


def test_explanations_keep_to_the_width_of_the_terminal():
    for width in (60, 80, 100):
        explanations = [
            line for line in as_text(REFERENCE, width).splitlines() if line.startswith(" ")
        ]
        assert explanations and max(map(len, explanations)) <= width


def test_the_page_in_docs_is_what_the_command_writes():
    page = Path(__file__).parents[3] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == as_markdown(REFERENCE), (
        "write it again: mtlx settings --markdown > docs/settings.md"
    )


def test_the_command(capsys):
    assert main(["settings", "evaluation"]) == 0
    assert "evaluation.user_key" in capsys.readouterr().out
    assert main(["settings", "gatee"]) == 2
    assert "did you mean 'gate'?" in capsys.readouterr().err
