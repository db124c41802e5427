import hashlib

import pandas as pd
import pytest

from mtlx.pipeline.simulation.settings import SimulationSettings
from mtlx.pipeline.simulation.simulator import simulate


@pytest.fixture(scope="session")
def default_log(tmp_path_factory):
    """Folder of the default simulation with half of its rows, in Parquet."""
    folder = tmp_path_factory.mktemp("default") / "simulated"
    simulate(SimulationSettings(rows=100_000, format="parquet"), folder)
    return folder


def _read(folder):
    frames = []
    for path in sorted((folder / "logs").glob("day=*/*")):
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
        frames.append(frame.assign(path=path.parent.name))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="session")
def read_log():
    return _read


@pytest.fixture(scope="session")
def read_truth():
    def function(folder):
        paths = sorted((folder / "ground_truth").glob("day=*.parquet"))
        return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)

    return function


@pytest.fixture(scope="session")
def log(default_log):
    return _read(default_log)


@pytest.fixture(scope="session")
def digest():
    def function(folder):
        """Of all columns of a log in CSV but the tags, as they are written."""
        found = hashlib.sha256()
        for path in sorted((folder / "logs").rglob("*.csv")):
            log = pd.read_csv(path, dtype=str, keep_default_na=False)
            log = log.drop(columns=["tags", "tag_weights"])
            found.update(log.to_csv(index=False).encode())
        return found.hexdigest()[:16]

    return function
