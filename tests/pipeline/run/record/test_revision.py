"""The revision of an experiment file, and what the nodes are told of it."""

import os
import subprocess

import pytest

from mtlx.components.model_pusher.serving_folder.push_lineage import REVISION_VARIABLE
from mtlx.pipeline.run.record.revision import git_revision, told_revision


def _git(folder, *arguments):
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_revision_is_that_of_the_folder_and_says_what_is_not_committed(tmp_path):
    assert git_revision(tmp_path) is None
    _git(tmp_path, "init")
    (tmp_path / "experiment.yaml").write_text("name: a", encoding="utf-8")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-m", "first")
    revision = _git(tmp_path, "rev-parse", "HEAD")
    assert git_revision(tmp_path) == {"revision": revision, "changed": False}
    (tmp_path / "experiment.yaml").write_text("name: b", encoding="utf-8")
    assert git_revision(tmp_path) == {"revision": revision, "changed": True}


@pytest.mark.parametrize("before", [None, "of the image"])
def test_nodes_are_told_meanwhile(monkeypatch, before):
    monkeypatch.delenv(REVISION_VARIABLE, raising=False)
    if before is not None:
        monkeypatch.setenv(REVISION_VARIABLE, before)
    with pytest.raises(KeyError), told_revision({"revision": "abc", "changed": True}):
        assert os.environ[REVISION_VARIABLE] == "abc+changed"
        raise KeyError
    assert os.environ.get(REVISION_VARIABLE) == before
    with told_revision(None):
        assert os.environ.get(REVISION_VARIABLE) == before
