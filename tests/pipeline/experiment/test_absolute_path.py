"""Relative paths are made absolute, and what is no path of this machine stays as it is."""

import os

import pytest

from mtlx.pipeline.experiment.absolute_path import absolute


@pytest.mark.parametrize(
    ("path", "start", "expected"),
    [
        ("a/b", "/x", "/x/a/b"),
        ("../b", "/x/y", "/x/b"),
        (".", "/x", "/x"),
        ("/a//b/", "/x", "/a/b"),
        ("größe 'a'", "/x y", "/x y/größe 'a'"),
        ("gs://bucket/../a", "/x", "gs://bucket/../a"),
        ("a:b", "/x", "/x/a:b"),
    ],
)
def test_from_a_folder(path, start, expected):
    assert absolute(path, start) == expected


def test_without_one_from_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute("a") == absolute("./b/../a") == os.path.join(os.getcwd(), "a")
    assert absolute("b", "c") == os.path.join(os.getcwd(), "c", "b")
