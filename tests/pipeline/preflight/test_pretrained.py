"""Pretrained vectors are looked at before a run; their path starts from the file's folder."""

import pandas as pd
import pytest

from mtlx.pipeline.experiment.experiment_file import read_experiment
from mtlx.pipeline.preflight.pretrained import pretrained_problems

EXPERIMENT = """
name: vectors
data: {reader: csv, path: log.csv, split: {by: hash, of: user}}
features:
  user: {kind: categorical, embed: false}
  item:
    kind: categorical
    pretrained: {path: tables/vectors.parquet, size: 2}
tasks: {click: {label: click}}
model: {network: shared_bottom}
"""


@pytest.fixture
def problems(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)

    def function(must_exist=True, **table):
        if table:
            pd.DataFrame(table).to_parquet(tmp_path / "tables" / "vectors.parquet")
        experiment = read_experiment(str(tmp_path / "experiment.yaml")).anchored()
        path = experiment.features["item"].pretrained.path
        assert path == str(tmp_path / "tables" / "vectors.parquet")
        assert experiment.contract.ids("item").pretrained.path == path
        return pretrained_problems(experiment, must_exist)

    return function


def test_a_good_table_has_none(problems):
    assert problems(value=["a", "b"], vector=[[1.0, 2.0], [3.0, 4.0]]) == []


def test_what_is_wrong_is_said_with_setting_and_file(problems, tmp_path):
    path = tmp_path / "tables" / "vectors.parquet"
    (missing,) = problems()
    assert missing.startswith(f"features.item.pretrained.path: {path}: No such file")
    assert problems(must_exist=False) == []  # As on a cluster, from where it is not seen.
    (twice,) = problems(value=["a", "a"], vector=[[1.0, 2.0]] * 2)
    assert twice.endswith("1 values with several vectors, such as 'a': keep one of each")
    (long,) = problems(value=["a"], vector=[[1.0, 2.0, 3.0]])
    assert long.startswith(f"features.item.pretrained.size is 2, but the vector of 'a' in {path}")
