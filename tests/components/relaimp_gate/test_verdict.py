"""Verdicts as files, and what is read of blessings that others gave."""

import pytest

from mtlx.components.relaimp_gate.verdict import Check, Verdict


def test_values_that_are_hard_to_write_come_back(tmp_path):
    words = 'domain="two\\nlines", 男装, <b>, \u202e'
    check = Check("auc", "click", words, False, words, 1e-300, None, 0.1 + 0.2, against="anchor")
    verdict = Verdict(False, None, [check], [], [words])
    verdict.save(str(tmp_path / "deep" / "folder"))
    assert Verdict.load(str(tmp_path / "deep" / "folder")) == verdict


@pytest.mark.parametrize(("file", "blessed"), [("BLESSED", True), ("NOT_BLESSED", False)])
def test_of_a_stock_blessing_the_decision_alone_is_known(tmp_path, file, blessed):
    (tmp_path / file).write_text("")
    assert Verdict.of_blessing(str(tmp_path)) == Verdict(blessed, None, [])


def test_the_gates_own_file_counts_before_the_stock_marker(tmp_path):
    (tmp_path / "BLESSED").write_text("")
    held = Verdict(False, "baseline", [])
    held.save(str(tmp_path))
    assert Verdict.of_blessing(str(tmp_path)) == held


def test_a_folder_without_anything_blesses_nothing(tmp_path):
    assert not Verdict.of_blessing(str(tmp_path)).blessed
