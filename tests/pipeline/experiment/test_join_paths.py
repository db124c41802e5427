"""What an experiment file says of tables to join: where they lie, and who can't read them."""

import textwrap

import pytest

from mtlx.kubeflow.package.cluster_experiment import _path_problems
from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment

TEXT = """\
    name: small
    data:
      reader: csv
      path: logs/*.csv
      split: {by: file, train: [train.csv], validation: [dev.csv], test: [test.csv]}
      join:
        - {path: users.csv, key: user, columns: [age]}
        - {path: [/abs/items.csv, "gs://bucket/more.csv"], key: item, columns: [brand]}
    features:
      item: {kind: categorical}
      brand: {kind: categorical}
    tasks:
      click: {label: click}
    model: {network: mmoe}
"""


def _read(tmp_path, overrides=(), **changed):
    text = textwrap.dedent(TEXT)
    for old, new in changed.items():
        text = text.replace(old, new)
    (tmp_path / "x.yaml").write_text(text)
    return read_experiment(tmp_path / "x.yaml", overrides, data_root="/data")


def test_paths_of_tables_start_where_those_of_logs_do(tmp_path):
    first, second = _read(tmp_path).data.join
    assert first.path == ["/data/users.csv"]
    assert second.path == ["/abs/items.csv", "gs://bucket/more.csv"]


def test_a_table_without_a_path_is_said_with_its_place(tmp_path):
    with pytest.raises(ExperimentFileError, match=r"data\.join\.0\.path"):
        _read(tmp_path, **{"path: users.csv, ": ""})


def test_csv_example_gen_joins_nothing(tmp_path):
    overrides = ["components={example_gen: stock, statistics: stock}"]
    with pytest.raises(ExperimentFileError, match="CsvExampleGen joins no tables: leave data.join"):
        _read(tmp_path, overrides)


def test_the_cluster_can_not_read_this_machines_tables(tmp_path):
    experiment = _read(tmp_path)
    (problem,) = [text for text in _path_problems(experiment, {}) if "data.join" in text]
    assert "/data/users.csv" in problem and "data.join: [...]" in problem
    given = _path_problems(experiment, {"data.join": []})
    assert not any("data.join" in text for text in given)
