"""The report as a TFX artifact, and its one file."""

import os

import tensorflow as tf
from tfx.types import artifact
from tfx.utils import io_utils

_REPORT_FILE = "report.html"


class HtmlReport(artifact.Artifact):
    """A folder with one file that needs no server and no network."""

    TYPE_NAME = "HtmlReport"


def report_file(uri: str) -> str:
    """Path or URI of the file of an artifact."""
    return os.path.join(uri, _REPORT_FILE)


def write_report(uri: str, html: str) -> None:
    """Writes the file into the artifact's folder."""
    io_utils.write_string_file(report_file(uri), html)


def read_report(uri: str) -> str:
    """Reads the file of an artifact.

    Raises:
        tf.errors.NotFoundError: there is none.
    """
    with tf.io.gfile.GFile(report_file(uri)) as file:
        return str(file.read())
