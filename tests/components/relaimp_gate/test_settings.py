"""Thresholds as a user writes them, and what is refused."""

import dataclasses
import json

import pytest

from mtlx.components.relaimp_gate.settings import GateSettings
from mtlx.components.relaimp_gate.verdict import Check, FamilyDecision, ModelLineage, Verdict
from mtlx.transform.config.settings import SettingsError


def test_options_stand_beside_the_other_keys_and_survive_json():
    settings = GateSettings.read(
        {"thresholds": [{"rule": "auc", "task": "click", "minimum": 0.6, "bound": "point"}]}
    )
    (threshold,) = settings.thresholds
    assert threshold.slice == "overall"
    assert threshold.options == {"minimum": 0.6, "bound": "point"}
    assert GateSettings.from_json(settings.to_json()) == settings


def test_a_section_that_extends_the_settings_passes_on_only_the_gate_s_own():
    class Section(GateSettings):
        reference: str | None = None

    section = Section.read({"reference": "ple"})
    assert GateSettings.from_json(section.to_json()) == GateSettings()


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        ({"rule": "relimp"}, "did you mean 'relaimp'"),
        ({"rule": "relaimp", "minimun": 1}, "did you mean 'minimum'"),
        ({"rule": "auc"}, "'minimum' of 'auc' is required"),
        ({"rule": "auc", "minimum": 60}, "less than or equal to 1"),
        ({"rule": "relaimp", "bound": "lowest"}, "'lower', 'point' or 'upper'"),
        ({"rule": "calibration", "minimum": 1.2, "maximum": 0.8}, "should be above"),
        ({"rule": "auc", "minimum": 0.6, "against": "anchor"}, "compares with no model"),
        ({"rule": "relaimp", "against": "anchor"}, "gate.anchor is absent"),
        ({"rule": "relaimp", "slice": {}}, "at least 1 item"),
        ({"rule": "relaimp", "bound": "upper", "level": 0.7}, "less than 0.5"),
        ({"rule": "auc", "minimum": 0.6, "bound": "point", "level": 0.1}, "leave it out"),
        ({"task": "click"}, "Field required"),
        ("auc", "dictionary"),
    ],
)
def test_wrong_thresholds_are_refused(threshold, words):
    with pytest.raises(SettingsError, match=words):
        GateSettings.read({"thresholds": [threshold]})


@pytest.mark.parametrize(
    ("anchor", "words"),
    [({"last": 1}, "greater than or equal to 2"), ({"last": 5}, "no threshold compares with it")],
)
def test_an_anchor_that_does_nothing_is_refused(anchor, words):
    against = "anchor" if anchor["last"] == 1 else "baseline"
    threshold = {"rule": "relaimp", "against": against}
    with pytest.raises(SettingsError, match=words):
        GateSettings.read({"thresholds": [threshold], "anchor": anchor})


def test_an_error_rate_that_holds_for_no_threshold_is_idle():
    upper = {"rule": "relaimp", "bound": "upper"}
    for thresholds, idle in (
        ([{"rule": "relaimp"}], True),
        ([{**upper, "level": 0.01}], True),
        ([{"rule": "relaimp"}, upper], False),
    ):
        settings = GateSettings.read({"thresholds": thresholds, "error_rate": 0.05})
        assert settings.error_rate_is_idle is idle
        assert GateSettings.from_json(settings.to_json()) == settings
        assert not GateSettings.read({"thresholds": thresholds}).error_rate_is_idle
    with pytest.raises(SettingsError, match="error_rate"):
        GateSettings.read({"thresholds": [upper], "error_rate": 0})


def test_a_gate_without_thresholds_is_refused():
    with pytest.raises(SettingsError, match="thresholds"):
        GateSettings.read({"thresholds": []})


def test_verdict_round_trip(tmp_path):
    checks = [Check("auc", "click", "overall", True, "fine", 0.7, None, 0.8, "at least 0.6")]
    lineage = [ModelLineage("candidate", "span 3", "800 train", "100 test", "none")]
    family = FamilyDecision(0.05, 15, 0, 1)
    verdict = Verdict(True, "baseline", checks, lineage, ["Rows share user_id."], family)
    verdict.save(str(tmp_path / "blessing"))
    assert Verdict.load(str(tmp_path / "blessing")) == verdict
    # One that was written before there were notices, and families.
    file = tmp_path / "blessing" / "verdict.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    del values["notices"], values["family"]
    file.write_text(json.dumps(values), encoding="utf-8")
    assert Verdict.load(str(tmp_path / "blessing")) == dataclasses.replace(
        verdict, notices=[], family=None
    )
    with pytest.raises(FileNotFoundError, match="no RelaImpGate wrote"):
        Verdict.load(str(tmp_path))
