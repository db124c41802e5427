"""What ExampleValidator found, read from its files."""

import json

import pytest
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import standard_artifacts

from mtlx.components.anomaly_guard.anomalies import Anomaly, load_anomalies
from mtlx.components.anomaly_guard.executor import DataAnomaliesError

_INFO = anomalies_pb2.AnomalyInfo


@pytest.fixture
def load(tmp_path):
    """Writes results by split as ExampleValidator does, and loads them."""

    def function(splits=None, **results):
        artifact = standard_artifacts.ExampleAnomalies()
        artifact.uri = str(tmp_path)
        artifact.split_names = json.dumps(splits or list(results))
        for split, result in results.items():
            folder = tmp_path / f"Split-{split}"
            folder.mkdir()
            (folder / "SchemaDiff.pb").write_bytes(result.SerializeToString())
        return load_anomalies(artifact)

    return function


def _result(**infos):
    return anomalies_pb2.Anomalies(anomaly_info=infos)


def _info(short, severity=_INFO.ERROR):
    return _INFO(short_description=short, description=f"{short}, in full.", severity=severity)


def test_anomalies_are_listed_by_split_and_feature(load):
    found = load(
        train=_result(b=_info("New column"), a=_info("Unexpected values", _INFO.WARNING)),
        test=_result(a=_info("Missing")),
    )
    assert [(one.split, one.feature, one.severity) for one in found] == [
        ("train", "a", "WARNING"), ("train", "b", "ERROR"), ("test", "a", "ERROR"),
    ]  # fmt: skip
    assert found[0].short_description == "Unexpected values"
    assert found[0].description == "Unexpected values, in full."


def test_what_concerns_the_whole_split_is_among_them(load):
    result = _result(a=_info("Missing"))
    result.dataset_anomaly_info.CopyFrom(_info("Too few rows"))
    assert [one.feature for one in load(train=result)] == ["a", "(data set)"]


def test_a_split_without_rows_is_an_anomaly(load):
    """Nothing else would be found in it."""
    (found,) = load(train=anomalies_pb2.Anomalies(data_missing=True))
    assert found == Anomaly(
        "train", "(data set)", "No examples", "The split has no examples.", "ERROR"
    )


def test_nothing_found_is_nothing(load):
    assert load(train=_result(), test=_result()) == []


def test_a_split_that_was_not_finished_is_no_clean_one(load):
    with pytest.raises(FileNotFoundError, match="did not finish split 'test'"):
        load(splits=["train", "test"], train=_result())


def test_the_error_lists_every_place_and_what_can_be_done():
    anomalies = [
        Anomaly("train", "stadt", "Neue Werte", "Łódź kam dazu.", "ERROR"),
        Anomaly("test", "(data set)", "No examples", "The split has no examples.", "ERROR"),
    ]
    error = DataAnomaliesError(anomalies)
    lines = str(error).splitlines()
    assert error.anomalies == anomalies and lines[0].endswith("in 2 places:")
    assert lines[1] == "  split 'train', feature 'stadt': Neue Werte: Łódź kam dazu."
    assert "validation.allow_anomalies: true" in lines[-1]
