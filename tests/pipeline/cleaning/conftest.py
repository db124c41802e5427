"""Experiments with runs that were never run."""

import pytest

from tests.pipeline.past import Past


@pytest.fixture
def make_past(tmp_path):
    """Makes an experiment with so many runs, one per span, each blessed and pushed."""

    def function(runs, uri=""):
        past = Past(tmp_path, uri)
        for span in range(1, runs + 1):
            past.made.run(span)
        return past

    return function
