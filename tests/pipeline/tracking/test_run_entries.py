"""What MLflow is told, without MLflow."""

import pytest

from mtlx.pipeline.tracking.run_entries import run_entries
from mtlx.pipeline.tracking.settings import TrackingSettings
from mtlx.transform.config.settings import SettingsError

SETTINGS = {"training": {"epochs": 3, "loss": [{"name": "bce"}]}, "model": {"options": {}}}


def test_every_number_has_a_name_of_its_own(record):
    entries = run_entries(record, SETTINGS)
    assert entries.metrics == {
        "auc/click/overall": 0.7, "auc/click/overall.lower": 0.69,
        "auc/click/overall.upper": 0.71, "log_loss/click/overall": 0.3,
        "auc/click/domain_gr__e _1_": 0.6, "log_loss/click/domain_gr__e _1_": 0.3,
        "baseline/auc/click/overall": 0.65, "baseline/log_loss/click/overall": 0.3,
        "over_baseline/relaimp/click/overall": 3.0,
        "over_baseline/relaimp/click/overall.lower": 1.0,
        "over_baseline/relaimp/click/overall.upper": 5.0,
        "seconds/Trainer": 40.0, "seconds/SchemaGen": 0.5, "run/bytes": 1000.0,
        "run/seconds": 61.5,
    }  # fmt: skip


def test_no_name_is_a_folder_of_another(record):
    """A store of files has a file per name."""
    names = set(run_entries(record, SETTINGS).metrics)
    assert not [(a, b) for a in names for b in names if b.startswith(f"{a}/")]


def test_settings_and_tags_are_texts(record):
    entries = run_entries(record, {**SETTINGS, "long": "x" * 1000})
    assert entries.params["training.epochs"] == "3"
    assert entries.params["training.loss"] == "[{'name': 'bce'}]"
    assert "model.options" not in entries.params
    assert len(entries.params["long"]) == 500 and entries.params["long"].endswith("x…")
    assert entries.tags == {
        "mtlx.run_id": record["run_id"], "mtlx.outcome": "not blessed",
        "mtlx.verdict": "not blessed", "mtlx.model": "dtn", "mtlx.spans.train": "1 2",
        "mtlx.spans.test": "3", "mtlx.git.revision": "abc123", "mtlx.git.changed": "False",
        "mtlx.version.tfx": "1.16.0",
    }  # fmt: skip


def test_slices_whose_names_become_one_stay_apart(record):
    for name in ("domain=größe [1]", "domain=größe {1}"):
        record["metrics"].append({**record["metrics"][1], "slice": name, "auc": len(record["metrics"]) / 10})  # fmt: skip
    values = [value for name, value in run_entries(record, {}).metrics.items()
              if name.startswith("auc/click/domain_gr")]  # fmt: skip
    assert sorted(values) == [0.3, 0.4, 0.6]


def test_a_run_that_failed_has_what_it_has(record):
    for name in ("metrics", "comparisons", "spans", "versions", "git"):
        del record[name]
    record |= {"outcome": "failed", "at": "at Trainer"}
    entries = run_entries(record, {})
    assert entries.tags["mtlx.failed"] == "at Trainer"
    assert set(entries.metrics) == {
        "seconds/Trainer",
        "seconds/SchemaGen",
        "run/bytes",
        "run/seconds",
    }


@pytest.mark.parametrize("address", ["https://me:pass@host/", "mlruns"])
def test_addresses_with_passwords_or_without_a_place_are_refused(address):
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_USERNAME|from the root on") as caught:
        TrackingSettings.read({"mlflow": address})
    assert "pass@" not in str(caught.value)
