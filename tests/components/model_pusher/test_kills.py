"""Pushes that are killed at random, with a reader that watches."""

import os
import shutil

from benchmarks.push_kills import kill_pushes, push_ours


def test_no_kill_leaves_or_shows_a_part_of_a_model(make_model, tmp_path):
    models = [make_model(name, 50_000) for name in "abc"]
    outcome = kill_pushes(push_ours, models, str(tmp_path / "serving"), pushes=30, seed=1)
    assert outcome.killed >= 3
    assert outcome.watched.whole >= 5  # the pushes that were left alone
    assert outcome.watched.partial == outcome.watched.changed == outcome.partial_left == 0
    assert outcome.leftovers >= 1 and outcome.leftovers_left == 0


def _copy_file_by_file(model, base, index):
    shutil.copytree(model, os.path.join(base, str(index + 1)))


def test_the_reader_sees_what_copying_file_by_file_shows(make_model, tmp_path):
    """Else the test above could not fail."""
    models = [make_model(name, 2_000_000) for name in "abc"]
    outcome = kill_pushes(_copy_file_by_file, models, str(tmp_path / "serving"), 10, seed=1)
    assert outcome.watched.partial > 0
