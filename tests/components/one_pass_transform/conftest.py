"""The log and the transforms that the analyses are compared on."""

from types import SimpleNamespace

import pytest
import tensorflow_transform as tft

from tests.shared_between_processes import made_once
from tests.transform.conftest import contract, one_pass, rows, transform  # noqa: F401


@pytest.fixture(scope="session")
def both_transforms(tmp_path_factory, transform, one_pass, contract, rows):  # noqa: F811
    """The log's transform by our component's parts and by TFT alone.

    They are those of tests/transform, and made once for both folders.
    """

    def made(name, by):
        def make(_):
            done = by(contract, rows)
            return done.columns, done.folder

        columns, folder = made_once(tmp_path_factory, f"transformed-{name}", make)
        return SimpleNamespace(columns=columns, graph=tft.TFTransformOutput(folder + "/graph"))

    return made("one_pass", one_pass), made("stock", transform)
