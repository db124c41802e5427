"""A few rows of public data sets in their true layouts, where they are at hand."""

import pytest

from tests.components.log_example_gen.readers.data_sets.sampled_logs import schema_samples


@pytest.fixture
def samples():
    """The folder with them."""
    found = schema_samples()
    if found is None:
        pytest.skip("no schema-samples under MTLX_DATA or ../shared/data")
    return found
