import json
import shutil
from pathlib import Path

import pytest
import yaml

from benchmarks import check_expected
from benchmarks.check_expected import (
    BOTH_PRECISIONS,
    EXPECTED,
    Expected,
    Part,
    main,
    missed,
    read_parts,
)
from mtlx.pipeline.experiment.presets import preset_names
from mtlx.trainer.networks import NETWORKS

#: Systems that a part may name, by what measures it.
KNOWN = {
    "presets": preset_names,
    "planted_networks": lambda: NETWORKS,
    "census_income": lambda: NETWORKS,
    "precision": lambda: BOTH_PRECISIONS,
}


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
    parts = read_parts()
    assert {part.measured_by for part in parts.values()} == set(check_expected.MEASURES)
    for part in parts.values():
        known = KNOWN[part.measured_by]()
        assert all(number.system in known for number in part.numbers)


@pytest.mark.parametrize("lost", [0.0, 0.03])
def test_precision_is_what_bfloat16_adds_to_float32(lost, monkeypatch, capsys):
    """A bfloat16 that loses 0.03 of a task's AUC is beyond, one that loses nothing is not."""
    told = []

    def compare(module, command, experiment, *options):
        told.append((module, command, experiment, *options))
        tasks = {
            "default": ("click", "add_to_cart", "purchase"),
            "census_income": ("income", "never_married"),
            "movielens_random": ("click", "like"),
        }[Path(experiment).stem]
        rows = [
            {
                "label": label,
                "measured": {
                    **{f"{task}, overall": {"value": 0.7 - less} for task in tasks},
                    f"{tasks[0]}, domain=home": {"value": 0.1},
                },
            }
            for label, less in (("float32", 0.0), ("bfloat16", lost))
        ]
        folder = options[options.index("--out") + 1]
        Path(folder, "comparison.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")

    monkeypatch.setattr(check_expected, "_call", compare)
    monkeypatch.setattr("mtlx.trainer.distribution.precision.fast_precision", lambda _: "bfloat16")
    assert main(["precision", "--data", "DIR"]) == (1 if lost else 0)
    assert ("BEYOND: default, purchase: -0.0300" in capsys.readouterr().out) == bool(lost)
    assert all("training.precision=bfloat16" in one[4] and one[-1] == "DIR" for one in told)
    assert {Path(one[2]) for one in told} == {
        Path(f"configs/{name}.yaml") for name in BOTH_PRECISIONS
    }
    assert all(Path(one[2]).exists() for one in told)


def test_precision_is_not_measured_where_bfloat16_is_slow(monkeypatch):
    monkeypatch.setattr("mtlx.trainer.distribution.precision.fast_precision", lambda _: "float32")
    with pytest.raises(SystemExit, match="multiplies in bfloat16"):
        main(["precision"])


def test_an_unknown_part_or_system_is_refused_with_the_nearest(capsys):
    for told, words in (
        (["smal"], "did you mean 'small'"),
        (["presets", "--systems", "mmoee"], ""),
    ):
        with pytest.raises(SystemExit):
            main(told)
        assert words in capsys.readouterr().err
