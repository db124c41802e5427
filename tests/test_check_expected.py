import shutil

import pytest
import yaml

from benchmarks import check_expected
from benchmarks.check_expected import EXPECTED, Expected, Part, main, missed, read_parts


def _changed(tmp_path, change):
    """A copy of what is expected, changed."""
    path = tmp_path / "expected.yaml"
    shutil.copy(EXPECTED, path)
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def measured():
    """The small part, measured once."""
    return check_expected.MEASURES["planted_networks"](read_parts()["small"], None)


def test_the_small_part_is_as_expected(measured):
    assert missed(read_parts()["small"], measured) == []


def test_a_number_that_is_off_fails(measured, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(check_expected.MEASURES, "planted_networks", lambda *_: measured)
    assert main(["small"]) == 0

    def off(values):
        for places in values["small"]["expected"].values():
            for place, (value, tolerance) in places.items():
                places[place] = [value + 0.02, tolerance]

    assert main(["small"], _changed(tmp_path, off)) == 1
    assert "BEYOND: single_task, own_rules" in capsys.readouterr().out


def test_beyond_is_either_side_and_what_was_not_measured():
    part = Part("p", "presets", "somewhere", (1,), (Expected("mmoe", "click", 0.70, 0.01),))
    at = ("mmoe", "click")
    assert missed(part, {at: 0.709}) == missed(part, {at: 0.691}) == []
    assert missed(part, {at: 0.711}) == [
        "mmoe, click: 0.7110, expected 0.7000 ± 0.0100 (somewhere)"
    ]
    assert len(missed(part, {at: 0.689})) == len(missed(part, {})) == 1
    assert len(missed(part, {at: float("nan")})) == 1


def test_a_tolerance_that_anything_meets_is_refused(tmp_path):
    def wide(values):
        values["presets"]["expected"]["mmoe"]["click"][1] = 0.5

    with pytest.raises(ValueError, match="presets, mmoe, click: a tolerance is above 0"):
        read_parts(_changed(tmp_path, wide))


def test_every_part_can_be_measured_and_names_what_is_there():
    from mtlx.pipeline.experiment.presets import preset_names
    from mtlx.trainer.networks import NETWORKS

    parts = read_parts()
    assert {part.measured_by for part in parts.values()} == set(check_expected.MEASURES)
    for part in parts.values():
        known = preset_names() if part.measured_by == "presets" else NETWORKS
        assert all(number.system in known for number in part.numbers)


def test_an_unknown_part_or_system_is_refused_with_the_nearest(capsys):
    for told, words in (
        (["smal"], "did you mean 'small'"),
        (["presets", "--systems", "mmoee"], ""),
    ):
        with pytest.raises(SystemExit):
            main(told)
        assert words in capsys.readouterr().err
