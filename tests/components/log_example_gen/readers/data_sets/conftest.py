"""A few rows of public data sets in their true layouts, where they are at hand."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def samples():
    """The folder with them."""
    for root in (os.environ.get("MTLX_DATA"), Path(__file__).parents[6] / "shared" / "data"):
        if root and (Path(root) / "schema-samples").is_dir():
            return Path(root) / "schema-samples"
    pytest.skip("no schema-samples under MTLX_DATA or ../shared/data")
