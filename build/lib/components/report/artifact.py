"""Artifact type of the report."""

from tfx.types import artifact

#: File in the artifact's folder.
REPORT_FILE = "report.html"


class HtmlReport(artifact.Artifact):
    """A folder with one file, `REPORT_FILE`, that needs no server and no network."""

    TYPE_NAME = "HtmlReport"
