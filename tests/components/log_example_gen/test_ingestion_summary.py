"""The account of the ingestion: one module writes and reads it."""

import os

import pytest

from mtlx.components.log_example_gen.ingestion_summary import (
    ingestion_folder,
    read_ingestion_summary,
    write_ingestion_summary,
)

SUMMARY = {
    "lines": {"read": 12},
    "rows": {"train": 8, "validation": 1, "test": 1},
    "malformed": {"label": 2},
    "refused": None,
    "times": {},
    "quarantine": "/quarantine/1",
    "max_malformed_share": 0.5,
    "seconds": 1.5,
    "provenance": None,
}


def test_what_is_written_is_read(tmp_path):
    uri = str(tmp_path)
    assert read_ingestion_summary(uri) is None
    write_ingestion_summary(ingestion_folder(uri), SUMMARY)
    assert read_ingestion_summary(uri) == SUMMARY
    # Documented; tools outside of this project read it.
    assert os.listdir(tmp_path / "ingestion") == ["summary.json"]


def test_a_damaged_file_is_named(tmp_path):
    write_ingestion_summary(ingestion_folder(str(tmp_path)), SUMMARY)
    (tmp_path / "ingestion" / "summary.json").write_text('{\n"rows": ')
    with pytest.raises(ValueError, match=r"summary.json, line 2: no JSON"):
        read_ingestion_summary(str(tmp_path))
