"""Pushes that are killed at random, with a reader that watches."""

import json
import subprocess
import sys
import types
from pathlib import Path

#: In a process of its own, without TensorFlow: every push is forked, and to fork the tests' process,
#: of gigabytes in the end, takes many times what the push does. Meanwhile the reader is at work.
KILL = """
import dataclasses, json, os, shutil, sys
sys.path.insert(0, sys.argv[1])
from benchmarks.push_kills import kill_pushes, push_ours

def copy_file_by_file(model, base, index):
    shutil.copytree(model, os.path.join(base, str(index + 1)))

way, pushes, base, *models = sys.argv[2:]
push = {"ours": push_ours, "file by file": copy_file_by_file}[way]
print(json.dumps(dataclasses.asdict(kill_pushes(push, models, base, int(pushes), seed=1))))
"""


def _outcome(way, models, folder, pushes):
    arguments = [str(Path(__file__).parents[3]), way, str(pushes), str(folder / "serving"), *models]
    command = [sys.executable, "-c", KILL, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    outcome = types.SimpleNamespace(**json.loads(done.stdout))
    outcome.watched = types.SimpleNamespace(**outcome.watched)
    return outcome


def test_no_kill_leaves_or_shows_a_part_of_a_model(make_model, tmp_path):
    models = [make_model(name, 50_000) for name in "abc"]
    outcome = _outcome("ours", models, tmp_path, pushes=30)
    assert outcome.killed >= 3
    assert outcome.watched.whole >= 5  # the pushes that were left alone
    assert outcome.watched.partial == outcome.watched.changed == outcome.partial_left == 0
    assert outcome.leftovers >= 1 and outcome.leftovers_left == 0


def test_the_reader_sees_what_copying_file_by_file_shows(make_model, tmp_path):
    """Else the test above could not fail."""
    models = [make_model(name, 2_000_000) for name in "abc"]
    outcome = _outcome("file by file", models, tmp_path, pushes=10)
    assert outcome.watched.partial > 0
