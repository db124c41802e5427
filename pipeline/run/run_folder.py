"""The folders of a pipeline's runs and what lies in them: one owner of all names."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Of a pipeline root: the metadata store.
METADATA_FILE = "metadata.sqlite"
#: Of a pipeline root: what the nodes write.
ARTIFACTS_FOLDER = "artifacts"
_RUNS, _LATEST = "runs", "latest"
_LOG, _RECORD, _REPORT, _SUMMARY = "log.txt", "run.json", "report.html", "summary.json"


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

    @classmethod
    def all(cls, root: Path) -> "Iterator[RunFolder]":
        """The folders of all runs, however they ended, in the order of their names.

        Args:
            root: the pipeline root; without any run there is none.
        """
        try:
            entries = sorted(os.scandir(root / _RUNS), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):  # ``latest`` leads to one of them
                yield cls(Path(entry.path))

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
        """Writes what is known of the run, in types that JSON has; whole or not at all.

        Raises:
            TypeError: there is something that JSON has not.
            OSError: it cannot be written; what was there before still is.
        """
        _replace(self.path / _RECORD, json.dumps(record, indent=2))

    def read_record(self) -> dict[str, Any]:
        """Inverse of `write_record`.

        Raises:
            ValueError: there is a file, but what it holds is no record.
            OSError: there is none that can be read.
        """
        path = self.path / _RECORD
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is no record of a run ({error}): run again") from error
        if not isinstance(record, dict):
            raise ValueError(f"{path} is no record of a run (it holds no mapping): run again")
        return record

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Writes the part of the record that a table of runs shows; after the record.

        The record of a run with many slices has a megabyte, which takes too long to read for
        three hundred runs.
        """
        _replace(self.path / _SUMMARY, json.dumps(summary))

    def read_summary(self) -> dict[str, Any] | None:
        """Inverse of `write_summary`; None where there is none, or the record is newer."""
        try:
            with open(self.path / _SUMMARY, encoding="utf-8") as file:
                written = os.fstat(file.fileno()).st_mtime_ns
                if written < os.stat(self.path / _RECORD).st_mtime_ns:
                    return None
                summary: dict[str, Any] = json.load(file)
        except (OSError, ValueError):
            return None
        return summary

    def make_latest(self) -> None:
        """Lets ``latest`` beside the folder lead to it, at one stroke."""
        temporary = self.path.parent / f"{_LATEST}.new"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(self.path.name)
        temporary.replace(self.path.parent / _LATEST)


def _replace(path: Path, text: str) -> None:
    """Writes a file at one stroke: who reads it sees the old one or the new one."""
    temporary = path.with_name(f"{path.name}.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
