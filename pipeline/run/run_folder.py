"""The folders of a pipeline's runs and what lies in them: one owner of all names."""

import json
from pathlib import Path
from typing import Any

#: Of a pipeline root: the metadata store.
METADATA_FILE = "metadata.sqlite"
#: Of a pipeline root: what the nodes write.
ARTIFACTS_FOLDER = "artifacts"
_RUNS, _LATEST = "runs", "latest"
_LOG, _RECORD, _REPORT = "log.txt", "run.json", "report.html"


class RunFolder:
    """One run's folder, with a copy of its report, its record and its log.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, root: Path, run_id: str) -> "RunFolder":
        """The folder of a run, whether or not it exists.

        Args:
            root: the pipeline root.
            run_id: of the run.
        """
        return cls(root / _RUNS / run_id)

    @classmethod
    def latest(cls, root: Path) -> "RunFolder | None":
        """The folder of the last run that ended well; None before the first."""
        path = root / _RUNS / _LATEST
        return cls(path) if path.exists() else None

    @property
    def log(self) -> Path:
        """File with all that the run's process logged."""
        return self.path / _LOG

    @property
    def report(self) -> Path:
        """The report, where a person finds it."""
        return self.path / _REPORT

    def write_report(self, html: str) -> None:
        """Puts a copy of the report here."""
        self.report.write_text(html, encoding="utf-8")

    def write_record(self, record: dict[str, Any]) -> None:
        """Writes what is known of the run, in types that JSON has."""
        (self.path / _RECORD).write_text(json.dumps(record, indent=2), encoding="utf-8")

    def read_record(self) -> dict[str, Any]:
        """Inverse of `write_record`."""
        record: dict[str, Any] = json.loads((self.path / _RECORD).read_text(encoding="utf-8"))
        return record

    def make_latest(self) -> None:
        """Lets ``latest`` beside the folder lead to it, at one stroke."""
        temporary = self.path.parent / f"{_LATEST}.new"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(self.path.name)
        temporary.replace(self.path.parent / _LATEST)
