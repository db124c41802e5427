"""The report's file: one module writes and reads it."""

import os

import pytest
import tensorflow as tf

from mtlx.components.report.artifact import read_report, write_report


def test_what_is_written_is_read(tmp_path):
    write_report(str(tmp_path), "<p>größer</p>")
    assert read_report(str(tmp_path)) == "<p>größer</p>"
    assert os.listdir(tmp_path) == ["report.html"]
    with pytest.raises(tf.errors.NotFoundError):
        read_report(str(tmp_path / "absent"))
