"""Pages of real artifacts: what the launcher gets holds no NaN and no null."""

import dataclasses
import json
import math
import os
import shutil

import pandas as pd
import pytest
import tensorflow_data_validation as tfdv
import tensorflow_model_analysis as tfma

from mtlx.components.relaimp_gate.verdict import Check, FamilyDecision, ModelLineage, Verdict
from mtlx.components.slice_evaluation.results import load_results
from mtlx.pipeline.run.node_run import NodeState
from mtlx.trainer.validation.history import History
from tests.components.slice_names import named


def numbers(value):
    """All leaves of a JSON value."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in numbers(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in numbers(item)]
    return [value]


def check_fit_for_the_launcher(page):
    leaves = numbers(page.output)
    assert None not in leaves, "the launcher knows no null in metadata"
    assert all(math.isfinite(leaf) for leaf in leaves if isinstance(leaf, float))


def test_metrics_of_an_evaluation_with_undefined_slices(page, evaluation):
    written = page("SliceEvaluation", evaluation=evaluation)
    check_fit_for_the_launcher(written)
    metrics, results = written.metadata("metrics"), load_results(evaluation)
    for slice_name in ("overall", "domain=feed", "gender=f"):
        metric = results.metric("candidate", "click", named(slice_name))
        assert metrics[f"auc/click/{slice_name}"] == pytest.approx(metric.auc)
        baseline = results.metric("baseline", "click", named(slice_name))
        assert metrics[f"baseline_auc/click/{slice_name}"] == pytest.approx(baseline.auc)
        assert f"relaimp_over_baseline/click/{slice_name}" in metrics
    assert metrics["rows/click/overall"] == 600
    auc = results.metric("candidate", "click").auc
    assert "| click | 600 |" in written.text("summary")
    assert f"{auc:.4f} (" in written.text("summary")
    assert "auc/click/gender=x" not in metrics
    assert {type(value) for value in metrics.values()} <= {int, float}
    assert written.metadata("summary")["tfx_uri/evaluation"] == evaluation
    assert "\n- auc/click/gender=x\n" in written.text("summary")
    file = json.loads(written.text("metrics"))
    assert "auc/click/gender=x" in file["undefined"]
    assert file["auc/click/overall"] == metrics["auc/click/overall"]


def test_one_roc_per_task(page, evaluation):
    written = page("SliceEvaluation", evaluation=evaluation)
    results = load_results(evaluation)
    for name, task in (("roc_click", "click"), ("roc_add_to_cart", "add-to-cart")):
        metadata = written.metadata(name)
        assert metadata["display_name"] == task
        assert metadata["tfx_uri/evaluation"] == evaluation
        points = metadata["confidenceMetrics"]
        assert set(points[0]) == {"confidenceThreshold", "falsePositiveRate", "recall"}
        x = [point["falsePositiveRate"] for point in points]
        y = [point["recall"] for point in points]
        area = sum((b - a) * (c + d) / 2 for a, b, c, d in zip(x, x[1:], y, y[1:], strict=False))
        assert area == pytest.approx(results.metric("candidate", task).auc, abs=1e-3)


def test_the_form_of_a_roc_is_that_of_kfp(page, evaluation):
    from kfp import dsl

    points = page("SliceEvaluation", evaluation=evaluation).metadata("roc_click")
    points = points["confidenceMetrics"]
    expected = dsl.ClassificationMetrics()
    expected.log_roc_curve(
        *(
            [point[key] for point in points]
            for key in ("falsePositiveRate", "recall", "confidenceThreshold")
        )
    )
    assert points == expected.metadata["confidenceMetrics"]


def test_an_older_evaluation_has_no_roc_and_the_summary_says_so(page, evaluation, tmp_path):
    copy = str(tmp_path / "copy")
    shutil.copytree(evaluation, copy)
    os.remove(f"{copy}/roc.json")
    written = page("SliceEvaluation", evaluation=copy)
    check_fit_for_the_launcher(written)
    assert "confidenceMetrics" not in written.metadata("roc_click")
    assert "No ROC for click, add-to-cart" in written.text("summary")


def test_heat_map_is_one_page_with_all_slices(page, evaluation):
    html = page("SliceEvaluation", evaluation=evaluation).text("heat_map")
    assert html.lstrip().startswith("<!doctype html>")
    for text in ("click", "add-to-cart", "feed", "search", "undefined (0 positives", "no rows"):
        assert text in html
    assert f"{load_results(evaluation).metric('candidate', 'click').auc:.4f}" in html
    assert "<script" not in html and "http://" not in html and "https://" not in html


def _check(**changes):
    check = Check(
        "relaimp", "click", "domain=a|b", True, "met", 1.5, 0.2, 2.8, "at least 0 %, lower bound"
    )
    return dataclasses.replace(check, **changes)


@pytest.mark.parametrize("blessed", [True, False])
def test_the_verdict_is_a_table_and_a_boolean(page, tmp_path, blessed):
    uri = str(tmp_path / "blessing")
    checks = [_check(), _check(task="cart", applicable=False, value=None)]
    if not blessed:
        checks.append(_check(passed=False, value=-3.0, message="lost -3 % for sure"))
    Verdict(blessed, "baseline", checks).save(uri)
    written = page("RelaImpGate", parameters=["blessed"], blessing=uri)
    assert written.output["parameterValues"] == {"blessed": blessed}
    assert written.folder.joinpath("blessed.txt").read_text() == str(blessed).lower()
    text = written.text("verdict")
    assert text.startswith("# ✔ Blessed" if blessed else "# ✘ Not blessed")
    assert "domain=a\\|b" in text
    assert "baseline model" in text
    assert "does not apply" in text
    assert ("**✘ blocks**" in text) is not blessed
    assert ("for sure" in text) is not blessed
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1
    assert written.metadata("verdict")["tfx_uri/blessing"] == uri


def test_the_verdict_says_which_rows_each_model_has_seen(page, tmp_path):
    uri = str(tmp_path / "blessing")
    lineage = [
        ModelLineage("candidate", "span 3", "80 train", "20 test", "none"),
        ModelLineage("anchor", "span 2 | 1 file", "70 train", "30 test", "5 of 20", True),
    ]
    Verdict(True, "baseline", [_check()], lineage).save(uri)
    text = page("RelaImpGate", parameters=["blessed"], blessing=uri).text("verdict")
    assert "| candidate | span 3 | 80 train | 20 test | none |" in text
    assert "| anchor model | span 2 \\| 1 file | 70 train | 30 test | **5 of 20** |" in text


def test_the_verdict_says_what_checks_decided_together(page, tmp_path):
    uri = str(tmp_path / "blessing")
    checks = [
        _check(errs_by="blocking", p_value=0.012, adjusted_p_value=0.18),
        _check(p_value=1e-5),
    ]
    Verdict(True, "baseline", checks, family=FamilyDecision(0.05, 15, 0, 1)).save(uri)
    text = page("RelaImpGate", parameters=["blessed"], blessing=uri).text("verdict")
    assert "15 checks look for a proven loss" in text
    assert "| 0.012 → 0.18 |" in text and "| &lt;0.0001 |" in text


@pytest.mark.parametrize("file", ["BLESSED", "NOT_BLESSED"])
def test_a_stock_blessing_has_a_boolean_without_reasons(page, tmp_path, file):
    (tmp_path / "blessing").mkdir()
    (tmp_path / "blessing" / file).touch()
    written = page("Evaluator", parameters=["blessed"], blessing=str(tmp_path / "blessing"))
    assert written.output["parameterValues"] == {"blessed": file == "BLESSED"}
    assert "no reasons" in written.text("verdict")


def test_stock_metrics_of_a_slice_with_one_class(page, tmp_path):
    frame = pd.DataFrame(
        {
            "label": [0, 1, 1, 0, 0, 0],
            "prediction": [0.2, 0.9, 0.7, 0.4, 0.3, 0.1],
            "gender": list("ffffxx"),
        }
    )
    config = tfma.EvalConfig()
    config.model_specs.add(label_key="label", prediction_key="prediction")
    config.slicing_specs.add()
    config.slicing_specs.add(feature_keys=["gender"])
    config.metrics_specs.add().metrics.add(class_name="AUC")
    uri = str(tmp_path / "evaluation")
    tfma.analyze_raw_data(frame, config, output_path=uri)
    (tmp_path / "blessing").mkdir()
    (tmp_path / "blessing" / "BLESSED").touch()
    written = page("Evaluator", parameters=["blessed"],
                   evaluation=uri, blessing=str(tmp_path / "blessing"))  # fmt: skip
    check_fit_for_the_launcher(written)
    assert written.metadata("metrics")["auc/overall"] == pytest.approx(1.0)
    assert written.metadata("metrics")["auc/gender=f"] == pytest.approx(1.0)


def _history(tmp_path, best=2):
    history = History(
        best_epoch=best, parameters=12345, devices=["CPU:0"], precision="bfloat16",
        notes=["kept <b>"],
        selection={"name": "log loss"}, kept="Epoch 2 of 2 is kept.", warnings=["Too few <rows>."],
    )  # fmt: skip
    for epoch in (1, 2):
        history.epochs.append(
            {
                "epoch": epoch, "loss": 0.7 / epoch, "task_loss": {"click": 0.3},
                "validation_auc": {"click": 0.6 + epoch / 20, "add-to-cart": None},
                "validation_loss": {"click": 0.4}, "selection": 0.5 / epoch, "seconds": 2.0, "examples": 500,
                "examples_per_second": 250.0,
            }
        )  # fmt: skip
    history.seconds["step"] = 3.5
    history.write(str(tmp_path / "model_run"))
    return str(tmp_path / "model_run")


@pytest.mark.parametrize("node", ["Trainer", "ReferenceTrainer"])
def test_a_training_is_told_by_epoch(page, tmp_path, node):
    written = page(node, model_run=_history(tmp_path), model="/models/3")
    check_fit_for_the_launcher(written)
    text, metrics = written.text("summary"), written.metadata("metrics")
    assert "12,345 parameters; epoch 2 of 2 was kept; trained on CPU:0 in bfloat16." in text
    assert "0.7000" in text and "kept &lt;b&gt;" in text
    assert "Epoch 2 of 2 is kept." in text and "Too few &lt;rows&gt;." in text
    assert "| Log loss |" in text and "| 0.25000 |" in text
    assert metrics["selection"] == 0.25
    assert metrics["parameters"] == 12345
    assert metrics["examples"] == 1000
    assert metrics["seconds/step"] == 3.5
    assert metrics["validation_auc/click"] == pytest.approx(0.7)
    assert "## Metrics that are undefined\n\n- validation\\_auc/add-to-cart\n" in text
    assert set(map(type, metrics.values())) <= {int, float}
    assert written.metadata("summary")["tfx_uri/model"] == "/models/3"


def test_ingestion_statistics_and_anomalies_are_told(page, tmp_path):
    examples = tmp_path / "examples" / "ingestion"
    examples.mkdir(parents=True)
    summary = {
        "rows": {"train": 900, "test": 90}, "malformed": {"no label": 10},
        "quarantine": "/q", "max_malformed_share": 0.1, "seconds": 3.0,
    }  # fmt: skip
    (examples / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    text = page("LogExampleGen", examples=str(tmp_path / "examples")).text("summary")
    assert "| train | 900 |" in text and "1,000 rows read" in text
    assert "10 rows (1.0 %) are malformed" in text
    assert "| no label | 10 |" in text

    frame = pd.DataFrame({"age": [20, 30, 40], "city": ["A|B", "A|B", "C"]})
    statistics = tfdv.generate_statistics_from_dataframe(frame)
    (tmp_path / "statistics" / "Split-train").mkdir(parents=True)
    path = tmp_path / "statistics/Split-train/FeatureStats.pb"
    path.write_bytes(statistics.SerializeToString())
    text = page("StatisticsGen", statistics=str(tmp_path / "statistics")).text("summary")
    assert "Split train: 3 rows" in text and "20 to 40" in text and "A\\|B" in text

    schema = tfdv.infer_schema(statistics)
    other = tfdv.generate_statistics_from_dataframe(frame.drop(columns="city"))
    anomalies = tfdv.validate_statistics(other, schema)
    (tmp_path / "anomalies" / "Split-train").mkdir(parents=True)
    path = tmp_path / "anomalies/Split-train/SchemaDiff.pb"
    path.write_bytes(anomalies.SerializeToString())
    text = page("ExampleValidator", anomalies=str(tmp_path / "anomalies")).text("summary")
    assert "1 anomalies" in text and "city" in text


def test_every_summary_has_state_time_and_typed_artifacts(page, tmp_path):
    from ml_metadata.metadata_store import metadata_store
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration import metadata

    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite"))
    store = metadata_store.MetadataStore(connection)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="PushedModel"))
    store.put_artifacts([metadata_store_pb2.Artifact(type_id=kind, uri="gs://b/pushed/4")])
    written = page("Pusher", NodeState.CACHED, store=store, pushed_model="gs://b/pushed/4")
    text = written.text("summary")
    assert text.startswith("# Pusher")
    assert "served from the cache" in text and "12.5 s" in text
    assert "| pushed\\_model | PushedModel | `gs://b/pushed/4` |" in text
    assert written.metadata("summary")["tfx_uri/pushed_model"] == "gs://b/pushed/4"
    assert written.metadata("summary")["tfx_state"] == "cached"


def test_a_push_that_was_skipped_is_shown_as_skipped(page):
    written = page("Pusher", NodeState.SKIPPED, pushed_model="gs://b/pushed/4")
    assert "skipped: the model was not blessed" in written.text("summary")
    assert written.metadata("summary")["tfx_state"] == "skipped"


def test_the_report_is_the_runs_own(page, tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "report.html").write_text("<html>✔</html>", encoding="utf-8")
    written = page("Report", report=str(tmp_path / "source"))
    assert written.text("report") == "<html>✔</html>"


def test_what_cannot_be_shown_is_said_and_fails_no_node(page, tmp_path):
    written = page("SliceEvaluation", evaluation=str(tmp_path / "nothing"))
    assert "Not shown" in written.text("summary")
    assert written.metadata("summary")["tfx_uri/evaluation"].endswith("nothing")
    assert written.metadata("metrics") == {}
    # Every declared file is there: a launcher may refuse the task for the lack of one.
    assert "Not shown: the task's summary says why." in written.text("heat_map")
    assert written.text("metrics") == "{}" and json.loads(written.text("roc_click"))["note"]


def test_a_gate_without_its_blessing_fails(page):
    with pytest.raises(KeyError):
        page("RelaImpGate", parameters=["blessed"])
