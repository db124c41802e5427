"""TFX's own components in the places of ours, by configuration."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from mtlx.pipeline.experiment.experiment_file import ExperimentFileError, read_experiment
from mtlx.pipeline.run.local_run import run_experiment

STOCK = {
    "example_gen": "stock",
    "statistics": "stock",
    "transform": "stock",
    "evaluation": "stock",
}


@pytest.fixture(scope="module")
def plain_logs(logs, tmp_path_factory):
    """The logs without quotes in the header, which CsvExampleGen takes for parts of the names."""
    folder = tmp_path_factory.mktemp("plain")
    for path in sorted((logs / "logs").glob("day=*/*.csv")):
        target = folder / path.parent.name / path.name
        target.parent.mkdir(exist_ok=True)
        pd.read_csv(path).to_csv(target, index=False)
    return folder


@pytest.fixture
def write_stock_experiment(write_experiment, plain_logs):
    """The small experiment with three features, two tasks and one file pattern per split.

    Each feature, and each task on each slice, costs TFT and TFMA more than a second.
    """

    def function(components, **sections):
        split = {
            "by": "file",
            "train": ["day=0[1-6]/*.csv"],
            "validation": ["day=07/*.csv"],
            "test": ["day=08/*.csv"],
        }
        data = {"split": split, "path": str(plain_logs / "day=*/*.csv"), **sections.pop("data", {})}
        path = write_experiment(data=data, **sections)
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        names = ("item_id", "price", "scenario")
        values["features"] = {name: values["features"][name] for name in names}
        del values["tasks"]["purchase"]
        values["training"]["epochs"] = 1
        values["data"]["split"] = split
        values["evaluation"] = {"slices": [["domain"]]}
        values["components"] = components
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path

    return function


def test_a_pipeline_of_stock_components_blesses_and_pushes(write_stock_experiment):
    result = run_experiment(read_experiment(write_stock_experiment(STOCK)))
    names = {node.node_id for node in result.nodes}
    assert {"CsvExampleGen", "StatisticsGen", "Transform", "Evaluator"} <= names
    assert not names & {"LogExampleGen", "SliceEvaluation", "RelaImpGate"}
    assert result.blessed and Path(result.pushed_to, "saved_model.pb").exists()
    report = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "not one of RelaImpGate" in report


@pytest.mark.parametrize(
    ("components", "sections", "message"),
    [
        ({"example_gen": "stock"}, {}, "components.statistics to 'stock'"),
        (STOCK, {"gate": {"thresholds": [{"rule": "relaimp", "minimum": 0}]}}, "'relaimp'"),
        (STOCK, {"gate": {"reference": {"network": "ple"}}}, "one baseline only"),
        ({"transform": "own"}, {}, "one_pass"),
        (STOCK, {"data": {"missing_label": "quarantine"}}, "leave data.missing_label out"),
        (
            STOCK,
            {"domain": {"feature": "scenario", "values": ["feed"], "other": "rest"}},
            "does not gather domains",
        ),
    ],
)
def test_what_stock_components_can_not_do_is_refused(
    write_stock_experiment, components, sections, message
):
    with pytest.raises(ExperimentFileError, match=message):
        read_experiment(write_stock_experiment(components, **sections))


def test_csv_example_gen_reads_no_sequences(write_experiment):
    path = write_experiment(components={"example_gen": "stock", "statistics": "stock"})
    with pytest.raises(ExperimentFileError, match="has no sequences"):
        read_experiment(path)
